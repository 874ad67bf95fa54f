"""Settings, all in one file, read from the environment (docs/operate.md lists the variables). Safe by default: DEBUG is off
unless asked for, and without SECRET_KEY nothing starts but with DEBUG."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from mailroom.ancestors import parse_ancestors
from mailroom.senders import parse_senders
from troubleshoot.rates import Limits, Rate, parse_rate
from whybounce.checks.guard import parse_addresses, parse_networks
from whybounce.checks.own_addresses import own_addresses
from whybounce.checks.resolver import parse_nameserver
from whybounce.checks.tools import Reach, SmtpMode

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "").strip().lower() in {"1", "true", "yes", "on"}


def _list(name: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def _number(name: str, default: int) -> int:
    try:
        return int(os.environ.get(name, "") or default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number.") from None


DEBUG = _flag("DEBUG")

SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("Set SECRET_KEY to a long random text (or DEBUG=1 for development).")
    SECRET_KEY = "for development only: this key is public and 50 characters long or more"  # noqa: S105

ALLOWED_HOSTS = _list("ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "config.apps.AdminConfig",
    "config.apps.OperationsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "simple_history",
    "nested_admin",
    "knowledge",
    "troubleshoot",
    "api",
    "mailroom",
    "logs",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.request_log.RequestNumberMiddleware",
    "config.metrics.MetricsMiddleware",
    "api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.timezone.ViewerTimezoneMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database -----------------------------------------------------------------------------------------------------------

_database = dj_database_url.parse(os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'whybounce.sqlite3'}", conn_max_age=0)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue instead of failing: measured with 800 contended writes, 268 are "locked" with the defaults and none so.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 15,  # an upgrade or a large import holds the lock for some seconds
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -------------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["troubleshoot.permissions.OneQueryBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "case-list"
LOGOUT_REDIRECT_URL = "home"

# Off: opening cases and having checks run needs a login; the reference and links to reports stay open to all.
WHYBOUNCE_VISITORS = _flag("WHYBOUNCE_VISITORS", default=True)

# --- language and time --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- static files -------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- security -----------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap draws its icons as data: images in the style sheet
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SECURE_REFERRER_POLICY = "same-origin"
if not DEBUG:
    SECURE_SSL_REDIRECT = _flag("SECURE_SSL_REDIRECT", default=True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _flag("SECURE_COOKIES", default=True)
    SECURE_HSTS_SECONDS = int(os.environ.get("SECURE_HSTS_SECONDS", 60 * 60 * 24 * 365))
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _flag("SECURE_HSTS_SUBDOMAINS", default=True)
    if _flag("BEHIND_TLS_PROXY"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- pastes -------------------------------------------------------------------------------------------------------------

# A bounce with its original attached may be large; the engine reads 25 MB and says so of more.
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
# The desk's page of a question has four fields for each piece of evidence, and a question has hundreds: Django's 1,000 are too few.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# --- log analysis (docs/triage.md) ---------------------------------------------------------------------------------------

# The longest log that may be uploaded, in bytes, and where it lies until it was read.
WHYBOUNCE_LOG_BYTES = _number("WHYBOUNCE_LOG_BYTES", 2 * 1024**3)
WHYBOUNCE_LOG_FOLDER = Path(os.environ.get("WHYBOUNCE_LOG_FOLDER", "") or BASE_DIR / "var" / "logs")
# Logs that are read at the same time, each by a process of its own.
WHYBOUNCE_LOG_READERS = _number("WHYBOUNCE_LOG_READERS", 1)

# --- learning (docs/curators.md) ----------------------------------------------------------------------------------------

# Whether causes count as more common the more closed cases had them.
WHYBOUNCE_LEARN = _flag("WHYBOUNCE_LEARN", default=True)

# --- privacy (docs/privacy.md) --------------------------------------------------------------------------------------------

# Days after which what was pasted, and all else of a case that may name a person, is erased. 0 keeps it for ever.
WHYBOUNCE_KEEP_DAYS = _number("WHYBOUNCE_KEEP_DAYS", 90)
if not 0 <= WHYBOUNCE_KEEP_DAYS <= 36_500:
    raise ImproperlyConfigured("WHYBOUNCE_KEEP_DAYS must be 0 to 36500.")
# Whom to ask about it: an e-mail address or a web page, shown at /privacy/.
WHYBOUNCE_CONTACT = os.environ.get("WHYBOUNCE_CONTACT", "").strip()

# To the standard error output, warnings and worse; of requests those that failed by a fault of the program. Django would mail reports to
# administrators with all that was posted: nobody is mailed anything.
_log_format = os.environ.get("WHYBOUNCE_LOG_FORMAT", "") or "text"
if _log_format not in {"text", "json"}:
    raise ImproperlyConfigured("WHYBOUNCE_LOG_FORMAT must be text or json.")
# A line for each request: the name of its view, the status and how long it took.
WHYBOUNCE_LOG_REQUESTS = _flag("WHYBOUNCE_LOG_REQUESTS")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"number": {"()": "config.logs.NumberFilter"}},
    "formatters": {
        "masked": {"()": "config.logs.MaskingFormatter", "format": "{asctime} {levelname} {name} [{request_number}]: {message}", "style": "{"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json" if _log_format == "json" else "masked", "filters": ["number"]},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "whybounce.requests": {"level": "INFO"},
    },
}

# --- live checks --------------------------------------------------------------------------------------------------------

WHYBOUNCE_NAMESERVERS = [parse_nameserver(item) for item in _list("WHYBOUNCE_NAMESERVERS")]
WHYBOUNCE_ALLOW_NETWORKS = parse_networks(_list("WHYBOUNCE_ALLOW_NETWORKS"))
# Zones to ask instead of the shipped lists; one that begins with + is asked besides them.
WHYBOUNCE_DNSBL_ZONES = _list("WHYBOUNCE_DNSBL_ZONES")
_probe = os.environ.get("WHYBOUNCE_SMTP_PROBE", "") or SmtpMode.CONNECT
if _probe not in list(SmtpMode):
    raise ImproperlyConfigured(f"WHYBOUNCE_SMTP_PROBE must be one of {', '.join(SmtpMode)}.")
WHYBOUNCE_REACH = Reach(
    smtp=SmtpMode(_probe),
    smtp_port=_number("WHYBOUNCE_SMTP_PORT", 25),
    helo=os.environ.get("WHYBOUNCE_HELO", "") or socket.gethostname(),  # the full name would have to be asked of DNS
    probe_sender=os.environ.get("WHYBOUNCE_PROBE_SENDER", ""),
    https_port=_number("WHYBOUNCE_HTTPS_PORT", 443),
    ca_file=os.environ.get("WHYBOUNCE_CA_FILE", ""),
    dns_port=_number("WHYBOUNCE_DNS_PORT", 53),
    own_addresses=own_addresses() | parse_addresses(_list("WHYBOUNCE_OWN_ADDRESSES")),
)

# Seconds for which a result is shown, with its age, instead of being asked for again.
WHYBOUNCE_CHECKS_KEPT = _number("WHYBOUNCE_CHECKS_KEPT", 300)

# --- limits -------------------------------------------------------------------------------------------------------------


def _rate(name: str, default: Rate, unit: int = 1) -> Rate:
    try:
        return parse_rate(os.environ[name], unit) if os.environ.get(name) else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


_default = Limits()
WHYBOUNCE_LIMITS = Limits(
    client=_rate("WHYBOUNCE_LIMIT_CLIENT", _default.client),
    user=_rate("WHYBOUNCE_LIMIT_USER", _default.user),
    domain=_rate("WHYBOUNCE_LIMIT_DOMAIN", _default.domain),
    user_domain=_rate("WHYBOUNCE_LIMIT_USER_DOMAIN", _default.user_domain),
    mx=_rate("WHYBOUNCE_LIMIT_MX", _default.mx),
    pastes=_rate("WHYBOUNCE_LIMIT_PASTES", _default.pastes),
    paste_bytes=_rate("WHYBOUNCE_LIMIT_PASTE_MB", _default.paste_bytes, 1_000_000),
    api_token=_rate("WHYBOUNCE_LIMIT_API_TOKEN", _default.api_token),
    api_open=_rate("WHYBOUNCE_LIMIT_API_OPEN", _default.api_open),
)
WHYBOUNCE_LIMIT_LOGS = _rate("WHYBOUNCE_LIMIT_LOGS", Rate(20, 3600))
WHYBOUNCE_LIMIT_LOG_MB = _rate("WHYBOUNCE_LIMIT_LOG_MB", Rate(4_000_000_000, 3600), 1_000_000)
# Proxies whose X-Forwarded-For is believed: addresses or networks, and "unix" for one that connects by a Unix socket.
WHYBOUNCE_TRUSTED_PROXIES = tuple("unix" if item == "unix" else parse_networks([item])[0] for item in _list("WHYBOUNCE_TRUSTED_PROXIES"))

# --- metrics (docs/operate.md) --------------------------------------------------------------------------------------------

# Who may read /metrics: addresses or networks, with commas between.
WHYBOUNCE_METRICS_FROM = parse_networks(_list("WHYBOUNCE_METRICS_FROM") or ["127.0.0.0/8", "::1"])

# --- the API ------------------------------------------------------------------------------------------------------------

# Off: also what the API tells everybody (explain, codes, causes, search) needs a token.
WHYBOUNCE_API_OPEN = _flag("WHYBOUNCE_API_OPEN", default=True)

# --- mail in and out (docs/mail-in.md) --------------------------------------------------------------------------------------

# Where this site is, for links in mails and webhooks: there is no request to tell it.
_host = next((host for host in ALLOWED_HOSTS if host[0] not in ".*["), "")
WHYBOUNCE_SITE_URL = os.environ.get("WHYBOUNCE_SITE_URL", "").strip().rstrip("/") or (
    "http://127.0.0.1:8000" if DEBUG else f"https://{_host}" if _host else ""
)

EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "") or "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "") or "localhost"
EMAIL_PORT = _number("EMAIL_PORT", 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = _flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = _number("EMAIL_TIMEOUT", 30)

WHYBOUNCE_MAIL_FROM = os.environ.get("WHYBOUNCE_MAIL_FROM", "").strip()
if WHYBOUNCE_MAIL_FROM:
    DEFAULT_FROM_EMAIL = WHYBOUNCE_MAIL_FROM
try:
    WHYBOUNCE_MAIL_SENDERS = parse_senders(_list("WHYBOUNCE_MAIL_SENDERS"))
except ValueError as error:
    raise ImproperlyConfigured(f"WHYBOUNCE_MAIL_SENDERS: {error}.") from None
# On: mail of strangers is accepted and thrown away, instead of being refused with 550 5.7.1.
WHYBOUNCE_MAIL_DROP = _flag("WHYBOUNCE_MAIL_DROP")
WHYBOUNCE_LIMIT_MAIL = _rate("WHYBOUNCE_LIMIT_MAIL", Rate(60, 3600))
# Off: webhooks are sent by `manage.py deliver_webhooks` alone, not by a thread of each server.
WHYBOUNCE_WEBHOOKS_IN_SERVER = _flag("WHYBOUNCE_WEBHOOKS_IN_SERVER", default=True)

# --- reports in frames (docs/handing-on.md) ---------------------------------------------------------------------------------

# Sites whose pages may show a shared report in a frame (/widget/). All other pages of this site are never framed.
try:
    WHYBOUNCE_FRAME_ANCESTORS = parse_ancestors(_list("WHYBOUNCE_FRAME_ANCESTORS"))
except ValueError as error:
    raise ImproperlyConfigured(f"WHYBOUNCE_FRAME_ANCESTORS: {error}.") from None
