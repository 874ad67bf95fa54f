import smtplib
import ssl
import sys

host, port, to, tls, auth = sys.argv[1:]
with smtplib.SMTP(host, int(port), timeout=3) as server:
    if tls == "tls":
        server.starttls(context=ssl.create_default_context())
    if auth == "login":
        server.login("news", "wrong")
    server.sendmail("news@sender.example", to.split(","), "Subject: November\n\nGood morning\n")
