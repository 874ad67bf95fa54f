# syntax=docker/dockerfile:1
# Two stages: the first has what is needed to install, the second what is needed to run. It runs as a user who is not root, and needs no writable
# file system but /data (SQLite, uploaded logs) and /tmp. docs/operate.md says how it is used.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt
WORKDIR /app
COPY . .
# The key is for this one command: nothing of it stays in the image.
RUN SECRET_KEY=only-to-collect-static-files /opt/venv/bin/python manage.py collectstatic --no-input \
    && /opt/venv/bin/python -m compileall -q /app

FROM python:3.11-slim-bookworm
# pg_dump and pg_restore, for `manage.py backup` and `restore`; Debian 12 has those of PostgreSQL 15, the version that compose.yaml runs.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 whybounce \
    && useradd --uid 10001 --gid whybounce --no-create-home --home-dir /data whybounce \
    && install -d -o whybounce -g whybounce /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/whybounce.sqlite3 WHYBOUNCE_LOG_FOLDER=/data/logs WHYBOUNCE_LOG_FORMAT=json
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["granian", "--interface", "asginl", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--log-level", "warning", "config.asgi:application"]
