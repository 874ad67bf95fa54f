#!/bin/sh
# Runs the tests: everything on SQLite; the parts that use the database again on PostgreSQL; a real browser on both.
# What this machine lacks is skipped with a line that says so; with CI set, nothing may be skipped.
#
#   TEST_POSTGRES_URL   a PostgreSQL server with a role that may create databases (default: the local one, where it answers)
#   CHROMIUM            a Chromium (default: the one on PATH)
set -eu
export DEBUG=1 PYTHONDONTWRITEBYTECODE=1
unset DATABASE_URL WHYBOUNCE_NAMESERVERS WHYBOUNCE_ALLOW_NETWORKS

postgres=${TEST_POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
export CHROMIUM

missing() {
    echo "SKIPPED: $1"
    if [ -n "${CI:-}" ]; then
        echo "In CI nothing may be skipped." >&2
        exit 1
    fi
}

answers() { python -c 'import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3).close()' "$1" 2>/dev/null; }

echo "== the engine, without Django's database; the program on SQLite"
python -m pytest tests/engine tests/knowledge tests/troubleshoot tests/api tests/mailroom tests/logs tests/config "$@"

if answers "$postgres"; then
    echo "== the program on PostgreSQL"
    DATABASE_URL="$postgres" python -m pytest tests/knowledge tests/troubleshoot tests/api tests/mailroom tests/logs tests/config "$@"
else
    missing "no PostgreSQL answers at $postgres (set TEST_POSTGRES_URL): the database tests ran on SQLite alone"
fi

if [ -n "$CHROMIUM" ]; then
    echo "== a browser, SQLite"
    python -m pytest tests/browser "$@"
    if answers "$postgres"; then
        echo "== a browser, PostgreSQL"
        DATABASE_URL="$postgres" python -m pytest tests/browser "$@"
    fi
else
    missing "no Chromium is installed (Debian: apt install chromium): the browser tests did not run"
fi
