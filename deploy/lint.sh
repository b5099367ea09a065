#!/bin/sh
# `make lint`: all checks that need no running thing. Every check runs; any failure fails.
set -eu
cd "$(dirname "$0")/.."
deploy/packages.sh run
deploy/environment.sh dev

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
trap 'exit 130' INT TERM
# Secrets of this run alone; the settings of a deployment behind https.
VWG_ENV_FILE=/dev/null
VWG_STATE_DIR=$state
SECRET_KEY=$(head -c 48 /dev/urandom | base64 -w0)
VWG_ENCRYPTION_KEYS=lint:$(head -c 32 /dev/urandom | base64 -w0)
VWG_PUBLIC_URL=https://vwg.example
VWG_SSL_REDIRECT=true
VWG_BEHIND_PROXY=true
export VWG_ENV_FILE VWG_STATE_DIR SECRET_KEY VWG_ENCRYPTION_KEYS VWG_PUBLIC_URL VWG_SSL_REDIRECT VWG_BEHIND_PROXY

failed=""
check() {
    name=$1
    shift
    if "$@"; then
        echo "lint: ok      $name"
    else
        echo "lint: FAILED  $name" >&2
        failed="$failed $name"
    fi
}

check ruff .venv/bin/ruff check --quiet .
check format .venv/bin/ruff format --check --quiet .
check mypy .venv/bin/mypy .
check migrations .venv/bin/python manage.py makemigrations --check --dry-run
check deploy .venv/bin/python manage.py check --deploy --fail-level WARNING
check schema .venv/bin/python manage.py spectacular --validate --fail-on-warn --file "$state/schema.yml"

[ -z "$failed" ] || {
    echo "lint: failed:$failed" >&2
    exit 1
}
