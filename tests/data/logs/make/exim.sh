hostname mail; cd /root
cat > /root/exim.conf <<'C'
primary_hostname = mail.sender.example
domainlist local_domains = sender.example
hostlist relay_from_hosts = 127.0.0.1
local_interfaces = 127.0.0.1 : 192.0.2.10
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
log_file_path = /var/log/exim4/%slog
host_lookup =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
keep_environment =
disable_ipv6 = true
tls_advertise_hosts =
never_users =
log_selector = +smtp_connection
begin acl
acl_rcpt:
  accept hosts = :
  deny senders = *@nowhere.example
       message = sender verify fail for <$sender_address>: The mail server could not deliver mail
  accept hosts = +relay_from_hosts
  accept domains = +local_domains
  deny message = relay not permitted
acl_data:
  deny condition = ${if match{$h_subject:}{test 17}}
       message = This message was classified as SPAM and may not be delivered
  accept
begin routers
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0
  no_more
localuser:
  driver = accept
  local_parts = root : news
  transport = local_delivery
  cannot_route_message = Unknown user
begin transports
remote_smtp:
  driver = smtp
  hosts_try_fastopen =
  interface = 192.0.2.10
local_delivery:
  driver = appendfile
  file = /var/mail/$local_part_data
  user = mail
begin retry
*  *  F,30s,5s
begin rewrite
C
cp /root/exim.conf /etc/exim4/exim4.conf; chown root /etc/exim4/exim4.conf; mkdir -p /var/spool/exim4 /var/log/exim4; chown -R Debian-exim /var/spool/exim4 /var/log/exim4
exim4 -bdf -q10s >/root/exim.out 2>&1 & sleep 3; ss -ltn; python3 send.py; sleep 50; tail -3 /var/log/exim4/paniclog; exit
