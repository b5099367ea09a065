"""What can go wrong with WireGuard. The type of an error is the decision it asks for."""


class WireGuardError(Exception):
    """Anything this package raises on purpose."""


class InvalidKey(WireGuardError, ValueError):
    """A key is not 32 bytes in their one base64 spelling, or is unusable. Never holds the key."""


class InvalidConfig(WireGuardError, ValueError):
    """A value or a line of a configuration is wrong.

    ``field`` is WireGuard's name of the setting ("" if there is none), ``line`` the line of the
    parsed text, counted from 1 (None if the value did not come from a text). The message never
    holds a secret.
    """

    def __init__(self, message: str, *, field: str = "", line: int | None = None) -> None:
        self.message = message
        self.field = field
        self.line = line
        where = ", ".join(
            part for part in (f"line {line}" if line is not None else "", field) if part
        )
        super().__init__(f"{where}: {message}" if where else message)


class TruncatedDump(WireGuardError):
    """A dump is cut off or ill-formed, and is refused whole."""


class DriverError(WireGuardError):
    """An interface could not be read or changed."""


class DriverUnavailable(DriverError):
    """Nothing is known to have changed: try again later (a time-out, say)."""


class InterfaceMissing(DriverUnavailable):
    """There is no such WireGuard interface (yet, or any more)."""


class DriverForbidden(DriverUnavailable):
    """Rights are missing; the message says which, and what to do."""


class CommandMissing(DriverUnavailable):
    """The program that was to be run is not installed."""


class DriverRejected(DriverError):
    """WireGuard refused what it was sent; part of it may have been applied.

    ``reason`` is WireGuard's own text without anything that looks like a key. ``explained`` says
    whether it names a bad value (a key, an address, an endpoint ...), as opposed to a bare refusal.
    """

    def __init__(self, reason: str, *, explained: bool) -> None:
        self.reason = reason
        self.explained = explained
        super().__init__(reason)
