#!/bin/sh
# A PostgreSQL of one test run: own directory, unix socket only, nothing kept.
#
#   deploy/postgres.sh start DIR [durable]   make DIR and a running cluster in it; prints its
#                                            DATABASE_URL. Only a durable one waits for the disk.
#   deploy/postgres.sh stop DIR              stop it and remove DIR
set -eu
action=${1:?start or stop}
dir=${2:?directory}
case "${3:-}" in
"") durability="-c fsync=off -c full_page_writes=off" ;; # this data is thrown away
durable) durability="" ;;                                # PostgreSQL's own defaults
*) action=usage ;;
esac
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

case "$action" in
start)
    mkdir -m 700 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres: "$dir"
    cd "$dir"
    as_owner "$bin/initdb" -D "$dir/data" -U vwg --auth=trust -E UTF8 --locale=C.UTF-8 >/dev/null
    as_owner "$bin/pg_ctl" -D "$dir/data" -w -t 30 -l "$dir/log" -o \
        "-c listen_addresses='' -k $dir $durability -c max_connections=200" \
        start >/dev/null
    as_owner "$bin/createdb" -h "$dir" -U vwg vwg
    echo "postgres://vwg@/$dir/vwg"
    ;;
stop)
    cd /
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null
    rm -rf "$dir"
    ;;
*)
    echo "usage: deploy/postgres.sh start DIR [durable] | stop DIR" >&2
    exit 2
    ;;
esac
