"""The memory gateway of the engine's tests."""

from django.db import connections

from tests.integration.control.conftest import Gateway, caller, empty_gateways, gateway

__all__ = ["Gateway", "caller", "empty_gateways", "gateway"]

POSTGRESQL = connections.settings["default"]["ENGINE"].endswith("postgresql")
#: SQLite knows one writer at a time: nobody waits for a row there.
collect_ignore = [] if POSTGRESQL else ["test_side_by_side.py"]
