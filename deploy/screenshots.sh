#!/bin/sh
# `make screenshots`: every page of the portal in four looks, joined into docs/tour, and the text
# beside them. TOUR names the pictures that are meant (beginnings of names); without it, all.
# LARGE=DIR keeps the pictures there in their full size.
set -eu
cd "$(dirname "$0")/.."
deploy/packages.sh test
deploy/environment.sh dev
.venv/bin/python -m tests.browser.tour.text >docs/tour.md
# shellcheck disable=SC2086 # a list of words on purpose
exec .venv/bin/python -m tests.browser.tour ${LARGE:+--large "$LARGE"} ${TOUR:-}
