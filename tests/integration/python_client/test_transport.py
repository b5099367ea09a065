"""The Python client by its own sender: urllib at work, on sockets that end in no network."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from vwg_client import Moved, NotFound, Problem, ServerError, Unreachable, Vwg

Act = Callable[[Vwg], object]

URL, TOKEN = "http://portal.test", "vwg_abc_secret"
SILENCE = b""
IN_PROGRESS = {"type": f"{URL}/problems/idempotency-in-progress", "status": 409}


class Line(socket.socket):
    """One end of a pair, which has no TCP to be told about."""

    def setsockopt(self, *_: Any) -> None:
        """Nothing to set."""


class Portal:
    """Gives these answers, one to a connection, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.slept: list[float] = []
        self._ends: list[socket.socket] = []

    def connect(self, *_: Any, **__: Any) -> socket.socket:
        near, far = socket.socketpair()
        self._ends.append(far)
        far.sendall(self.answers.pop(0))
        far.shutdown(socket.SHUT_WR)
        return Line(fileno=near.detach())

    def asked(self) -> list[str]:
        """The requests so far, each as it came; once."""
        asked = [end.recv(65536).decode() for end in self._ends]
        self.close()
        return asked

    def close(self) -> None:
        while self._ends:
            self._ends.pop().close()


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    portal = Portal()
    monkeypatch.setattr(socket, "create_connection", portal.connect)
    yield portal
    assert portal.answers == []
    portal.close()


@pytest.fixture
def shop(portal: Portal) -> Vwg:
    return Vwg(URL, TOKEN, sleep=portal.slept.append)


def reply(status: int, body: object = None, **headers: str) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    lines = [
        f"{name}: {text}" for name, text in ({"Content-Length": str(len(data))} | named).items()
    ]
    return "\r\n".join([f"HTTP/1.1 {status} x", *lines, "", ""]).encode() + data


def keys(asked: list[str]) -> set[str]:
    return {
        line.partition(": ")[2]
        for request in asked
        for line in request.splitlines()
        if line.lower().startswith("idempotency-key")
    }


def test_an_answer_is_what_came_back(shop: Vwg, portal: Portal) -> None:
    portal.answers = [reply(200, {"id": "1"}, ETag='"a"')]
    assert dict(shop.clients.get("1")) == {"id": "1"}
    (asked,) = portal.asked()
    assert asked.startswith("GET /api/v1/clients/1 HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}\r\n" in asked


# -- another place ------------------------------------------------------------------------------

WRITES: dict[str, Act] = {
    "create": lambda shop: shop.clients.create(name="Sara"),
    "suspend": lambda shop: shop.clients.suspend("1"),
    "update": lambda shop: shop.clients.update("1", note="a"),
    "delete": lambda shop: shop.clients.delete("1"),
    "revoke": lambda shop: shop.tokens.revoke("1"),
    "config": lambda shop: shop.clients.config("1"),
    "set_logo": lambda shop: shop.tenant.set_logo(b"png"),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
def test_a_redirect_is_an_error_that_says_where(
    act: Act, status: int, shop: Vwg, portal: Portal
) -> None:
    place = "https://vpn.example.org/api/v1/"
    portal.answers = [reply(status, Location=place)]
    with pytest.raises(Moved, match=f"{status} the portal is at {place}") as moved:
        act(shop)
    assert (moved.value.location, moved.value.status) == (place, status)
    assert portal.slept == []


@pytest.mark.parametrize("status", [304, 300])
def test_what_is_neither_success_nor_a_place_is_an_error(
    status: int, shop: Vwg, portal: Portal
) -> None:
    portal.answers = [reply(status)]
    with pytest.raises(Moved, match=f"{status} the portal is elsewhere"):
        shop.clients.config("1")


# -- the key with which to ask again ------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_the_last_refusal_names_the_key(status: int, shop: Vwg, portal: Portal) -> None:
    portal.answers = [reply(status)] * 5
    with pytest.raises(Problem) as refused:
        shop.clients.create(name="Sara")
    assert refused.value.status == status
    assert keys(portal.asked()) == {refused.value.idempotency_key}


def test_what_cannot_be_asked_again_names_no_key(shop: Vwg, portal: Portal) -> None:
    portal.answers = [reply(404)]
    with pytest.raises(NotFound) as refused:
        shop.clients.update("1", note="a", idempotency_key="k")
    assert refused.value.idempotency_key is None
    assert keys(portal.asked()) == set()


def test_a_try_that_still_runs_is_waited_for_longer_than_its_lease(
    shop: Vwg, portal: Portal
) -> None:
    busy = reply(409, IN_PROGRESS, Retry_After="1")
    portal.answers = [SILENCE, *[busy] * 20, reply(201, {"id": "1"})]
    assert shop.clients.create(name="Sara")["id"] == "1"
    assert len(keys(portal.asked())) == 1
    # 75 s and no more; a refusal of another kind is none of this
    portal.answers = [busy] * 200
    portal.slept.clear()
    with pytest.raises(Unreachable, match="an earlier try still runs") as lost:
        shop.clients.create(name="Sara", idempotency_key="order-1")
    assert lost.value.idempotency_key == "order-1"
    assert 60 < 75 <= sum(portal.slept) < 80
    portal.answers = []


def test_how_long_it_waits_may_be_said(portal: Portal) -> None:
    shop = Vwg(URL, TOKEN, busy_for=0, sleep=portal.slept.append)
    portal.answers = [reply(409, IN_PROGRESS, Retry_After="1")]
    with pytest.raises(Unreachable):
        shop.clients.create(name="Sara")
    assert portal.slept == []


# -- a deletion without a clear answer ----------------------------------------------------------


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504])
@pytest.mark.parametrize("wait", [None, 5])
def test_a_deletion_that_an_earlier_try_did_is_done(
    status: int | None, wait: int | None, shop: Vwg, portal: Portal
) -> None:
    gone = reply(404, {"type": "about:blank", "status": 404})
    portal.answers = [reply(status) if status else SILENCE, gone]
    assert shop.clients.delete("1", wait=wait) is None


def test_what_was_refused_before_anything_was_done_was_not_deleted(
    shop: Vwg, portal: Portal
) -> None:
    portal.answers = [reply(429, Retry_After="7"), reply(404)]
    with pytest.raises(NotFound):
        shop.clients.delete("1")
    assert portal.slept == [7]


# -- what goes into a header --------------------------------------------------------------------


def test_the_newline_of_a_file_is_no_part_of_what_was_read(portal: Portal) -> None:
    shop = Vwg(URL, f"{TOKEN}\n", tenant=" acme\r\n", sleep=portal.slept.append)
    portal.answers = [reply(201, {})]
    shop.clients.create(name="Sara", idempotency_key="order-1\n")
    (asked,) = portal.asked()
    assert f"Authorization: Bearer {TOKEN}\r\n" in asked
    assert "tenant: acme\r\n" in asked.lower()
    assert "Idempotency-Key: order-1\r\n" in asked


@pytest.mark.parametrize("wrong", ["s3cret\nX: y", "s3 cret", "s3cret…", "s3cret\x00", "", "\n"])
def test_what_is_no_header_is_refused_without_quoting_it(wrong: str, shop: Vwg) -> None:
    tries: dict[str, Callable[[], object]] = {
        "token": lambda: Vwg(URL, wrong),
        "tenant": lambda: Vwg(URL, TOKEN, tenant=wrong),
        "idempotency_key": lambda: shop.clients.create(name="Sara", idempotency_key=wrong),
    }
    for name, attempt in tries.items():
        with pytest.raises(ValueError, match=f"the {name} must be of visible ASCII") as refused:
            attempt()
        assert "cret" not in str(refused.value)


# -- half an answer -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("kind", ["length", "chunks"])
def test_an_answer_that_is_cut_off_is_none(
    kind: str, status: int, shop: Vwg, portal: Portal
) -> None:
    half = reply(status, Content_Length="100") + b'{"id": '
    if kind == "chunks":
        half = f"HTTP/1.1 {status} x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{{".encode()
    portal.answers = [half, reply(200, {"id": "1"})]
    assert shop.clients.create(name="Sara")["id"] == "1"
    assert len(keys(portal.asked())) == 1
    portal.answers = [half] * 5
    with pytest.raises(Unreachable, match="no answer") as lost:
        shop.clients.create(name="Sara", idempotency_key="order-1")
    assert lost.value.idempotency_key == "order-1"


def test_no_answer_that_makes_sense_is_none(shop: Vwg, portal: Portal) -> None:
    portal.answers = [SILENCE, b"\x16\x03\x01\r\n\r\n", reply(500), reply(500), reply(500)]
    with pytest.raises(ServerError):
        shop.clients.create(name="Sara")
