cd /root
haraka -i /root/h >/dev/null 2>&1
cd /root/h/config; printf 'relay\nrcpt_to.in_host_list\n' > plugins; echo sender.example > host_list; echo 127.0.0.1/32 > relay_acl_allow; printf '[relay]\nacl=true\n' > relay.ini; echo mail.sender.example > me
printf 'listen=127.0.0.1:25,192.0.2.10:25\n' > smtp.ini; echo INFO > loglevel; printf '[main]\nlevel=info\ntimestamps=true\n' > log.ini
printf 'temp_fail_intervals=5s,6s,7s\nenable_tls=false\nlocal_mx_ok=true\n[tls]\n' > outbound.ini
cd /root/h; haraka -c /root/h > /root/haraka.log 2>&1 &
sleep 3; python3 /root/send.py; sleep 25; exit
