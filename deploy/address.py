"""Where the web server listens: the forms of VWG_BIND."""

import socket
from urllib.parse import urlsplit


class PortTaken(Exception):
    """Somebody else listens there, or this machine has no such address; the text says which."""


def split(bind: str) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:8000``, ``[::1]:8000`` or ``:8000``. Raises ValueError."""
    parts = urlsplit(f"//{bind}")
    if parts.port is None:
        raise ValueError(f"VWG_BIND names no port: {bind}")
    return parts.hostname or "0.0.0.0", parts.port  # noqa: S104  what ":8000" asks for


def check_free(bind: str) -> None:
    """Raise PortTaken unless vwg can listen on ``bind``, ValueError where it is malformed."""
    if bind.startswith("unix:"):
        return
    host, port = split(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{bind}: {error.strerror}") from None


def local_url(bind: str, path: str) -> str | None:
    """A URL this machine can ask for ``path``; None for a unix socket."""
    if bind.startswith("unix:"):
        return None
    host, port = split(bind)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"
