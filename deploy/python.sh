#!/bin/sh
# Print the first Python that vwg supports (3.11 to 3.13). PYTHON names one to prefer.
set -eu
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
        echo "$path"
        exit 0
    fi
done
found=$(python3 --version 2>/dev/null || echo "no python3")
echo "vwg: needs Python 3.11, 3.12 or 3.13; found: $found. Set PYTHON=/path/to/python3." >&2
exit 1
