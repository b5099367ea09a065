#!/bin/sh
# Make .venv and install the locked requirements, only when the lock files changed.
#
#   deploy/environment.sh run    what vwg needs to run
#   deploy/environment.sh dev    what tests and checks need on top
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
run) locks="requirements.txt" ;;
dev) locks="requirements.txt requirements-dev.txt" ;;
*)
    echo "usage: deploy/environment.sh run|dev" >&2
    exit 2
    ;;
esac

mkdir -p .venv
exec 9>.venv/.lock
flock 9 # `make up` and `make test` may meet here

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    python=$(deploy/python.sh)
    echo "vwg: making .venv with $("$python" --version)"
    "$python" -m venv .venv
fi

# shellcheck disable=SC2086 # a list of words on purpose
wanted=$(.venv/bin/python --version; cat $locks | sha256sum)
stamp=.venv/.installed-$1
if [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ]; then
    echo "vwg: installing $locks"
    files=""
    for lock in $locks; do files="$files -r $lock"; done
    rm -f "$stamp"
    # shellcheck disable=SC2086
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
        --require-hashes $files
    printf '%s\n' "$wanted" >"$stamp"
fi
.venv/bin/python -m deploy.catalogues
