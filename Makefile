# Every target does its own set-up. `make help` lists them.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help up down test proof lint bench screenshots clean lock

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

up:  ## install what is missing, bring the interface up, serve (foreground; ctrl-C stops all but the tunnels)
	@exec deploy/up.sh

down:  ## stop a running stack and take the interface down
	@exec deploy/down.sh

test:  ## every test but the long ones, on SQLite and PostgreSQL (needs root or sudo)
	@exec deploy/test.sh

proof:  ## the long things: faults, load, killing, soak
	@exec deploy/test.sh proof

lint:  ## style, types, migrations, deploy checks, API schema
	@exec deploy/lint.sh

bench:  ## measure; prints tables, writes bench/*.json; options for the load: BENCH=--long, BENCH=--quick
	@deploy/packages.sh test && deploy/environment.sh dev && exec deploy/bench.sh $(BENCH)

screenshots:  ## take the pictures of docs/tour.md anew; some of them: TOUR="home client"
	@exec deploy/screenshots.sh

clean:  ## remove .venv and caches; secrets (.env) and data (var/) stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

lock:  ## resolve requirements*.in again into exact versions and hashes
	@exec deploy/lock.sh
