hostname mail; cd /root; cat > /etc/smtpd.conf <<'C'
listen on 127.0.0.1 hostname mail.sender.example
listen on 192.0.2.10 hostname mail.sender.example
queue ttl 30s
bounce warn-interval 1h
action "local" mbox
action "relay" relay helo mail.sender.example
match from any for domain "sender.example" action "local"
match from local for any action "relay"
C
mkdir -p /var/spool/smtpd; chmod 711 /var/spool/smtpd; echo mail.sender.example > /etc/mailname
smtpd -d -f /etc/smtpd.conf > /root/smtpd.log 2>&1 & sleep 2; python3 send.py; sleep 50; kill %1; date
