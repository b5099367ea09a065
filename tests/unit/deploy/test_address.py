import socket

import pytest

from deploy import address


@pytest.mark.parametrize(
    ("bind", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("[::1]:8443", "::1", 8443),
        (":80", "0.0.0.0", 80),
        ("localhost:8000", "localhost", 8000),
    ],
)
def test_a_bind_address_has_a_host_and_a_port(bind: str, host: str, port: int) -> None:
    assert address.split(bind) == (host, port)


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "127.0.0.1:x", "127.0.0.1:70000"])
def test_a_bind_address_without_a_usable_port_is_refused(bind: str) -> None:
    with pytest.raises(ValueError):
        address.split(bind)


def test_a_port_that_somebody_listens_on_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(address.PortTaken, match=bind):
            address.check_free(bind)

    address.check_free(bind)


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("0.0.0.0:8000", "http://127.0.0.1:8000/x"),
        ("[::]:8000", "http://[::1]:8000/x"),
        ("127.0.0.1:1", "http://127.0.0.1:1/x"),
        ("unix:/run/vwg.sock", None),
    ],
)
def test_this_machine_can_ask_what_the_server_binds(bind: str, url: str | None) -> None:
    assert address.local_url(bind, "/x") == url
