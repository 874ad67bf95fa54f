import asyncio
import sys
from email.message import EmailMessage

import aiosmtplib

host, port, to, tls, auth = sys.argv[1:]
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "news@sender.example", to, "November"
login = {"username": "news", "password": "wrong"} if auth == "login" else {}
asyncio.run(aiosmtplib.send(message, hostname=host, port=int(port), timeout=3, start_tls=tls == "tls", **login))
