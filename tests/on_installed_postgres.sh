#!/usr/bin/env bash
# Runs tests on the newest PostgreSQL server that the system has installed (Debian's), instead of the embedded one.
# Usage: tests/on_installed_postgres.sh [pytest arguments]; prints why and exits 3 when no server is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$binaries" ]; then
  echo "no PostgreSQL server is installed under /usr/lib/postgresql" >&2
  exit 3
fi
folder=$(mktemp -d)
as_owner=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root; Debian's package brings this user
  chown postgres "$folder"
  as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
stop() {
  (cd / && "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$folder"
}
trap stop EXIT
(
  cd /
  "${as_owner[@]}" "$binaries/initdb" -D "$folder/data" -U orchestrator -A trust >/dev/null
  "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$folder'" start >/dev/null
)
"$binaries/postgres" --version
ORCHESTRATOR_TEST_DATABASE_URL="postgresql://orchestrator@/postgres?host=$folder" .venv/bin/python -m pytest "$@"
