"""The memory gateway of the engine's tests."""

from tests.integration.control.conftest import Gateway, caller, empty_gateways, gateway

__all__ = ["Gateway", "caller", "empty_gateways", "gateway"]
