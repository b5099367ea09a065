#!/bin/sh
# Install what vwg needs from the distribution and what this machine lacks.
#
#   deploy/packages.sh run     what `make up` needs
#   deploy/packages.sh test    what `make test` needs on top
#
# Nothing happens when nothing is missing. No service is started or left enabled: vwg runs a
# private Redis on a unix socket, and :6379 stays free.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
policy=/usr/sbin/policy-rc.d
missing=""

fail() {
    echo "vwg: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# need PACKAGE COMMAND: note the package when its command is not there.
need() {
    command -v "$2" >/dev/null 2>&1 || missing="$missing $1"
}

need_for_run() {
    need python3 python3
    python=$(deploy/python.sh 2>/dev/null || echo python3)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    need redis-server redis-server
    need wireguard-tools wg
    need wireguard-go wireguard-go
    need iproute2 ip
    need nftables nft
    need procps sysctl
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
}

need_for_test() {
    need_for_run
    [ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || missing="$missing postgresql"
    need chromium chromium
    need iputils-ping ping
    need iperf3 iperf3
    need tcpdump tcpdump
    need procps pgrep
    need sudo sudo # the command prefix of the drivers
    need systemd systemd-analyze # checks the units; starts nothing
    need git git
}

case "${1:-}" in
run) need_for_run ;;
test) need_for_test ;;
*) fail "usage: deploy/packages.sh run|test" ;;
esac

[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 ||
    fail "missing here:$missing. This machine has no apt-get; install them by hand."
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null ||
        fail "missing here:$missing. Run as root, with passwordless sudo, or install them first."
fi

echo "vwg: installing$missing"
made_policy=""
trap '[ -z "$made_policy" ] || as_root rm -f "$policy"' EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
    # 101 is "action forbidden": packages may not start their services now.
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
fi
as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words on purpose
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing

# A service that came with these packages is not to start at the next boot either.
for service in redis-server postgresql; do
    case " $missing " in
    *" $service "*)
        if command -v deb-systemd-helper >/dev/null 2>&1; then
            as_root deb-systemd-helper disable "$service.service" >/dev/null 2>&1 || true
        fi
        wants=/etc/systemd/system/multi-user.target.wants/$service.service
        [ ! -e "$wants" ] || echo "vwg: could not disable $service.service; disable it by hand" >&2
        as_root update-rc.d "$service" disable >/dev/null 2>&1 ||
            echo "vwg: could not disable the init script of $service" >&2
        ;;
    esac
done
