cd /root
groupadd -g 5000 vmail; useradd -u 5000 -g 5000 -m vmail
cat > /etc/dovecot/dovecot.conf <<'C'
protocols = lmtp
log_path = /var/log/dovecot.log
log_timestamp = "%b %d %H:%M:%S mail "
mail_location = maildir:/home/vmail/%u
mail_uid = 5000
mail_gid = 5000
first_valid_uid = 100
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
mail_plugins = quota
protocol lmtp {
  mail_plugins = quota
  postmaster_address = postmaster@sender.example
}
plugin {
  quota = maildir:User quota
  quota_grace = 0
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0666
  }
}
ssl = no
C
cat > /etc/dovecot/users <<'C'
anna@sender.example:{PLAIN}x:5000:5000::/home/vmail::userdb_quota_rule=*:bytes=10M
fulluser@sender.example:{PLAIN}x:5000:5000::/home/vmail::userdb_quota_rule=*:bytes=100
C
postconf -e myhostname=mail.sender.example mydestination=localhost virtual_mailbox_domains=sender.example virtual_transport=lmtp:unix:private/dovecot-lmtp mynetworks=127.0.0.0/8 inet_interfaces=127.0.0.1,192.0.2.10 inet_protocols=ipv4 maillog_file=/var/log/mail.log smtp_tls_security_level=none smtpd_tls_security_level=none compatibility_level=3.6 enable_long_queue_ids=yes alias_maps= local_recipient_maps= message_size_limit=2000 postscreen_dnsbl_sites= postscreen_greet_action=enforce postscreen_greet_wait=2s header_checks=regexp:/etc/postfix/hc smtpd_helo_required=yes
echo '/^Subject: test 10/ REJECT no tests here' > /etc/postfix/hc
postconf -F '*/*/chroot=n'
postconf -M '192.0.2.10:smtp/inet=192.0.2.10:smtp inet n - n - 1 postscreen' 'smtpd/pass=smtpd pass - - n - - smtpd' 'dnsblog/unix=dnsblog unix - - n - 0 dnsblog' '127.0.0.1:smtp/inet=127.0.0.1:smtp inet n - n - - smtpd'
postconf -MX smtp/inet; postconf -e inet_interfaces=all
mkdir -p /var/spool/postfix/etc; cp /etc/resolv.conf /etc/hosts /etc/services /var/spool/postfix/etc/
postfix start; dovecot; sleep 3
cat > s2.py <<'P'
from send import send
import socket, time, smtplib
send("news@example.net", ["anna@sender.example"], 30)
send("news@example.net", ["fulluser@sender.example"], 31)
send("news@example.net", ["missing@sender.example"], 32)
send("news@example.net", ["anna@sender.example"], 10)
send("news@example.net", ["anna@sender.example", "unknown@example.net"], 33)
send("big@example.net", ["anna@sender.example"], 34, size=90000)
s = socket.create_connection(("192.0.2.10", 25), source_address=("192.0.2.11", 0)); s.send(b"EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<anna@sender.example>\r\n"); time.sleep(3); print(s.recv(500)); s.close()
send("a@example.net", ["b@example.com"], 35, source=("192.0.2.11", 0), host="192.0.2.10")
P
sed -i 's/^send(.*//; s/^U = .*//' send.py; python3 s2.py; sleep 5; postfix stop; doveadm stop; cat /var/log/dovecot.log | head -3
