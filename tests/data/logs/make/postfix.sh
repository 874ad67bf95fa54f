hostname mail; cd /root
postconf -e myhostname=mail.sender.example mydestination=sender.example,localhost mynetworks=127.0.0.0/8 inet_interfaces=127.0.0.1,192.0.2.10 inet_protocols=ipv4 maillog_file=/var/log/mail.log smtp_tls_security_level=none smtpd_tls_security_level=none minimal_backoff_time=5s maximal_backoff_time=6s queue_run_delay=5s maximal_queue_lifetime=40s bounce_queue_lifetime=40s delay_warning_time=0 relayhost= compatibility_level=3.6 smtpd_sender_restrictions=reject_unknown_sender_domain smtp_helo_timeout=10s mailbox_size_limit=0 alias_maps= local_recipient_maps= notify_classes=
postconf -F '*/*/chroot=n'
mkdir -p /var/spool/postfix/etc; cp /etc/resolv.conf /etc/hosts /etc/services /var/spool/postfix/etc/
postfix start; sleep 2;
python3 send.py; sleep 50
postfix stop; sleep 1
