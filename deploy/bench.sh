#!/bin/sh
# `make bench`: changes on SQLite, then the load and the books on SQLite and on a PostgreSQL of its
# own, both as durable as in use: TMPDIR names a directory on the disk that is meant. Options go to
# the load (make bench BENCH=--long): --long, --quick; with --long the books have 100,000 clients,
# else 10,000. Every part is measured, whatever the one before missed.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
status=0
"$python" -m bench || status=1
"$python" -m bench load "$@" || status=1
case " $* " in *" --long "*) books= ;; *) books=--quick ;; esac
"$python" -m bench books $books || status=1
dir=$(mktemp -u -t vbpXXXXXX)
trap 'deploy/postgres.sh stop "$dir" >/dev/null 2>&1' EXIT
trap 'exit 130' INT TERM
url=$(deploy/postgres.sh start "$dir" durable) || exit 1
"$python" -m bench load "$@" --database-url "$url" || status=1
"$python" -m bench books $books --database-url "$url" || status=1
exit "$status"
