"""ASGI entry point: `granian --interface asginl config.asgi:application`."""

import os
import warnings

from django.core.asgi import get_asgi_application

# Static files are handed over whole by WhiteNoise, which knows no asynchronous iterators; nothing is lost by reading them at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
