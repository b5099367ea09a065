#!/bin/sh
# `make down`: stop a running stack, then take the tunnel down.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x .venv/bin/python ]; then
    echo "vwg: nothing to take down here (never started)"
    exit 0
fi
exec .venv/bin/python -m deploy.down
