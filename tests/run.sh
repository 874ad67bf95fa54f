#!/bin/sh
# Runs the tests: everything on SQLite, and at the same time the parts that use the database on PostgreSQL; then a real browser on both.
# What this machine lacks is skipped with a line that says so; with CI set, nothing may be skipped.
#
#   TEST_POSTGRES_URL   a PostgreSQL server with a role that may create databases (default: the local one, where it answers)
#   CHROMIUM            a Chromium (default: the one on PATH)
set -eu
export DEBUG=1 PYTHONDONTWRITEBYTECODE=1
for name in DATABASE_URL $(env | sed -n 's/^\(WHYBOUNCE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

postgres=${TEST_POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres}
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
export CHROMIUM
beside=$(mktemp)
running=
failed=
trap 'rm -f "$beside"; [ -z "$running" ] || kill "$running" 2>/dev/null || true' EXIT INT TERM

missing() {
    echo "SKIPPED: $1"
    if [ -n "${CI:-}" ]; then
        echo "In CI nothing may be skipped." >&2
        exit 1
    fi
}

answers() { python -c 'import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3).close()' "$1" 2>/dev/null; }

# Tests on PostgreSQL beside those on SQLite, which print as they go; what these say is printed when both have ended.
on_postgres() {
    echo "== the same on PostgreSQL, told when this has ended: $*"
    DATABASE_URL="$postgres" python -m pytest -p no:cacheprovider "$@" >"$beside" 2>&1 &
    running=$!
}
end_of_postgres() {
    [ -n "$running" ] || return 0
    wait "$running" || failed=yes
    running=
    cat "$beside"
}

if answers "$postgres"; then
    on_postgres tests/knowledge tests/troubleshoot tests/api tests/mailroom tests/logs tests/config "$@"
else
    postgres=
    missing "no PostgreSQL answers (set TEST_POSTGRES_URL): the database tests run on SQLite alone"
fi
echo "== the engine, without Django's database; the program on SQLite"
python -m pytest tests/engine tests/knowledge tests/troubleshoot tests/api tests/mailroom tests/logs tests/config "$@" || failed=yes
end_of_postgres

if [ -n "$CHROMIUM" ]; then
    echo "== a browser, SQLite"
    python -m pytest tests/browser "$@" || failed=yes
    if [ -n "$postgres" ]; then
        echo "== a browser, PostgreSQL"
        DATABASE_URL="$postgres" python -m pytest tests/browser "$@" || failed=yes
    fi
else
    missing "no Chromium is installed (Debian: apt install chromium): the browser tests did not run"
fi
[ -z "$failed" ]
