"""The gateway in memory that the tests of control have."""

from tests.integration.control.conftest import caller, empty_gateways, gateway

__all__ = ["caller", "empty_gateways", "gateway"]
