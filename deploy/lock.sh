#!/bin/sh
# Resolve requirements*.in into exact versions with hashes, one lock for every supported Python.
# UPGRADE=1 takes the newest versions that fit; without it a locked version stays.
set -eu
cd "$(dirname "$0")/.."
deploy/environment.sh run
if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv # a tool, not locked
fi
for name in requirements requirements-dev; do
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --annotation-style line \
        ${UPGRADE:+--upgrade} "$name.in" -o "$name.txt"
done
