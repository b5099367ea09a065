#!/bin/sh
# `make up`: everything from a fresh machine to a served portal, in the foreground.
set -eu
cd "$(dirname "$0")/.."
deploy/packages.sh run
deploy/environment.sh run
exec .venv/bin/python -m deploy.up
