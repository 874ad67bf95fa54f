import sys

from django.conf import settings
from django.core.mail import send_mail

host, port, to, tls, auth = sys.argv[1:]
settings.configure(
    EMAIL_HOST=host, EMAIL_PORT=int(port), EMAIL_TIMEOUT=3, EMAIL_USE_TLS=tls == "tls",
    EMAIL_HOST_USER="news" if auth == "login" else "", EMAIL_HOST_PASSWORD="wrong" if auth == "login" else "",
)  # fmt: skip
send_mail("November", "Good morning", "news@sender.example", to.split(","))
