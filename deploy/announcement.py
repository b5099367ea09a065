"""Says on the terminal that the portal answers: `python -m deploy.announcement PROBE URL LOGS`.

It runs beside the supervisor, with the standard library alone, and ends with it.
"""

import contextlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request

_PATIENCE = 60.0


def answers(probe: str) -> bool:
    """Whether the web server gives any answer but an error of its own."""
    request = urllib.request.Request(probe, headers={"Host": "localhost"})  # noqa: S310  http only
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def main(probe: str, url: str, logs: str) -> None:
    """Wait for the first answer, at most a minute, and say so."""
    supervisor = os.getppid()
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and os.getppid() == supervisor:
        if answers(probe):
            print(f"\n  vwg is ready: {url}\n  logs: {logs}   stop: ctrl-C\n", flush=True)
            return
        time.sleep(0.2)
    if os.getppid() == supervisor:
        print(f"\n  vwg does not answer yet: look into {logs}\n", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with contextlib.suppress(BrokenPipeError):
        main(*sys.argv[1:4])
