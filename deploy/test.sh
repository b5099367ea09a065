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

# Compiled once and by the owner: some hundred processes start, some of them root's.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q -x '/(\.venv|\.git|var)/' .
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

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

if [ "${1:-}" = proof ]; then
    reason=$(why_not_wireguard)
    if [ -n "$reason" ]; then
        impossible proof "$reason"
    else
        # Shown as it goes: it takes long.
        privileged_pytest -m proof -p no:xdist --timeout 3600 -v -s tests ||
            failed=" proof"
    fi
else
    plain="not wg and not stack and not browser and not proof"
    unit="tests/unit tests/contract $(ls tests/test_*.py)"
    rest=$(ls -d tests/*/ | grep -vE '^tests/(unit|contract|__pycache__)/$')
    # shellcheck disable=SC2086 # lists of words on purpose
    part unit pytest -n 2 -m "$plain" $unit
    # shellcheck disable=SC2086
    part sqlite pytest -n 2 -m "$plain" $rest
    if url=$(deploy/postgres.sh start "$cluster"); then
        # The description of the API is the same on both.
        # shellcheck disable=SC2086
        part postgresql env DATABASE_URL="$url" \
            .venv/bin/python -m pytest -q -p no:cacheprovider -n 2 -m "$plain" $rest \
            --ignore tests/integration/contract
        VWG_TEST_DATABASE_URL=$url # the stack's tests run on both
        export VWG_TEST_DATABASE_URL
    else
        impossible postgresql "the private cluster does not start"
    fi
    reason=$(why_not_wireguard)
    if [ -n "$reason" ]; then
        impossible wireguard "$reason"
        impossible stack "$reason"
        impossible alone "$reason"
    else
        part wireguard privileged_pytest -n 2 --dist loadfile \
            -m "wg and not stack and not browser and not proof" tests
        # Real stacks mostly wait: a file to each process. What measures has the machine for itself.
        part stack privileged_pytest -n 3 --dist loadfile \
            -m "(stack or browser) and not proof and not alone" tests
        part alone privileged_pytest -p no:xdist -m "alone and not proof" tests
    fi
    echo
    cat "$results"
fi

if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "all parts passed"
