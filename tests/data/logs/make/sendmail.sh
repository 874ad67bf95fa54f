cd /root; mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/urandom c 1 9; mknod -m 666 /dev/random c 1 8; chmod 755 /dev
python3 syslogd.py /root/mail.log & sleep .5; chmod 666 /dev/log
mkdir -p /etc/mail /var/spool/mqueue /var/spool/mqueue-client; rm -rf /var/spool/mqueue; mkdir /var/spool/mqueue; chown root:root /var/spool/mqueue; chmod 700 /var/spool/mqueue; ls -ld /var/spool/mqueue /var /var/spool; id
cat > /root/s.mc <<'C'
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `/var/spool/mqueue')dnl
define(`confDOMAIN_NAME', `mail.sender.example')dnl
define(`confTO_QUEUERETURN', `25s')dnl
define(`confTO_QUEUEWARN', `1h')dnl
define(`confTO_INITIAL', `10s')dnl
define(`confTO_IDENT', `0')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`confBIND_OPTS', `')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
define(`PROCMAIL_MAILER_PATH', `/bin/true')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA-v4, Family=inet, Addr=127.0.0.1, Port=smtp')dnl
DAEMON_OPTIONS(`Name=MTA-in, Family=inet, Addr=192.0.2.10, Port=smtp')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cwsender.example
Cwlocalhost
C
m4 /root/s.mc > /etc/mail/sendmail.cf 2>/root/m4.err; head -3 /root/m4.err
touch /etc/mail/relay-domains /etc/mail/local-host-names /etc/mail/trusted-users; echo 127.0.0.1 > /etc/mail/relay-domains; : > /etc/mail/aliases; newaliases 2>&1 | tail -1
cp /etc/mail/sendmail.cf /etc/mail/submit.cf
M=$(ls /usr/libexec/sendmail/sendmail /usr/lib/sm.bin/sendmail 2>/dev/null | head -1); $M -bd -q5s -C/etc/mail/sendmail.cf; sleep 2; python3 send.py; sleep 40; tail -1 mail.log; exit
