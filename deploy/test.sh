#!/bin/sh
# `make test`: six parts, quick ones first. `make proof`: what is marked `proof`, one at a time.
#
# A part that cannot run here fails with the reason; nothing is skipped in silence. Every test is
# in exactly one part: unit, sqlite and postgresql take what carries no marker, the others theirs.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)

deploy/packages.sh test
deploy/environment.sh dev

base=$(mktemp -d)
chmod 711 "$base" # PostgreSQL's own user passes through
cluster=$base/pg
results=$base/results
failed=""
finish() {
    status=$?
    [ ! -d "$cluster" ] || deploy/postgres.sh stop "$cluster" || status=1
    rm -rf "$base"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Compiled once and by the owner: some hundred processes start, some of them root's. What pytest
# makes of the tests (a third of a part's start) is kept as well.
compile() {
    unset PYTHONDONTWRITEBYTECODE
    .venv/bin/python -m compileall -q -x '/(\.venv|\.git|var)/' .
    .venv/bin/python -m pytest -q -p no:cacheprovider --collect-only tests >"$base/collected" 2>&1
}

# Migrated once: every part's databases are copies.
make_templates() {
    mkdir "$base/templates"
    VWG_TEST_TEMPLATES=$base/templates
    export VWG_TEST_TEMPLATES
    .venv/bin/python -m tests.stack.databases
}

# part NAME COMMAND...: run it, keep pytest's closing line, remember a failure.
part() {
    name=$1
    shift
    echo "== $name"
    started=$(date +%s)
    if "$@" >"$base/out" 2>&1; then verdict=ok; else verdict=FAILED; fi
    cat "$base/out"
    [ "$verdict" = ok ] || failed="$failed $name"
    closing=$(tail -n 1 "$base/out" | tr -d '=')
    printf '%-8s %-12s %4s s  %s\n' "$verdict" "$name" "$(($(date +%s) - started))" "$closing" \
        >>"$results"
}

# impossible NAME REASON: a part that cannot run on this machine.
impossible() {
    echo "== $1 CANNOT RUN HERE: $2" >&2
    printf '%-8s %-12s    - s  %s\n' FAILED "$1" "cannot run here: $2" >>"$results"
    failed="$failed $1"
}

pytest() {
    "$root/.venv/bin/python" -m pytest -q -p no:cacheprovider "$@"
}

# The same with the rights that interfaces and namespaces need.
privileged_pytest() {
    if [ "$(id -u)" = 0 ]; then
        pytest "$@"
    else
        sudo -n --preserve-env "$root/.venv/bin/python" -m pytest -q -p no:cacheprovider "$@"
    fi
}

why_not_wireguard() {
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        echo "needs root or passwordless sudo"
    elif [ ! -e /dev/net/tun ] && [ ! -e /sys/module/wireguard ]; then
        echo "no /dev/net/tun and no kernel WireGuard"
    fi
}

reason=$(why_not_wireguard)
if url=$(deploy/postgres.sh start "$cluster"); then
    VWG_TEST_DATABASE_URL=$url # the stack's tests run on both
    export VWG_TEST_DATABASE_URL
else
    url=""
fi
compile &
make_templates
wait
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
plain="not wg and not stack and not browser"

if [ "${1:-}" = proof ]; then
    # Shown as it goes: it takes long.
    if [ -n "$reason" ]; then
        impossible proof "$reason"
    else
        privileged_pytest -m proof -p no:xdist --timeout 3600 -v -s tests ||
            failed="$failed proof"
    fi
    if [ -z "$url" ]; then
        impossible proof-on-postgresql "the private cluster does not start"
    else
        env DATABASE_URL="$url" .venv/bin/python -m pytest -p no:cacheprovider -p no:xdist \
            -m "proof and $plain" --timeout 3600 -v -s tests/integration ||
            failed="$failed proof-on-postgresql"
    fi
else
    plain="$plain and not proof"
    # Where each kind is (tests/conftest.py refuses one that is elsewhere): collecting costs, too.
    unit="tests/unit tests/contract $(ls tests/test_*.py)"
    real="tests/faults tests/stack tests/live tests/browser"
    rest=$(ls -d tests/*/ | grep -vE '^tests/(unit|contract|stack|live|browser|__pycache__)/$')
    # shellcheck disable=SC2086 # lists of words on purpose
    part unit pytest -n 2 -m "$plain" $unit
    # shellcheck disable=SC2086
    part sqlite pytest -n 2 -m "$plain" $rest
    if [ -z "$url" ]; then
        impossible postgresql "the private cluster does not start"
    else
        # The description of the API is the same on both.
        # shellcheck disable=SC2086
        part postgresql env DATABASE_URL="$url" \
            .venv/bin/python -m pytest -q -p no:cacheprovider -n 2 -m "$plain" $rest \
            --ignore tests/integration/contract
    fi
    if [ -n "$reason" ]; then
        impossible wireguard "$reason"
        impossible stack "$reason"
        impossible alone "$reason"
    else
        part wireguard privileged_pytest -n 2 --dist loadfile \
            -m "wg and not stack and not browser and not proof and not alone" tests/contract tests/live
        # Real stacks mostly wait: a file to each process, the long ones (few tests, long waits)
        # first. What measures has the machine for itself.
        # shellcheck disable=SC2086
        part stack privileged_pytest -n 3 --dist loadfile --no-loadscope-reorder \
            -m "(stack or browser) and not proof and not alone" $real
        # shellcheck disable=SC2086
        part alone privileged_pytest -p no:xdist -m "alone and not proof" $real
    fi
    echo
    cat "$results"
fi

if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "all parts passed"
