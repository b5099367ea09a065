"""The Python client, sending to this process instead of the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient
from vwg_client import Vwg
from vwg_client.transport import Answer


class InProcess:
    """A `Sender` that asks Django itself. It can lose requests and answers."""

    def __init__(self) -> None:
        self.lose_request = self.lose_answer = 0
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, timeout: float
    ) -> Answer:
        parts = urlsplit(url)
        self.sent.append((method, parts.path, headers))
        if self.lose_request:
            self.lose_request -= 1
            raise TimeoutError("lost on the way there")
        named: Any = {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in headers.items()
            if name != "Content-Type"
        }
        found: Any = APIClient().generic(
            method,
            f"{parts.path}?{parts.query}",
            data or b"",  # type: ignore[arg-type]  # bytes are right
            content_type=headers.get("Content-Type", ""),
            **named,
        )
        if self.lose_answer:
            self.lose_answer -= 1
            raise TimeoutError("lost on the way back")
        content = b"".join(found.streaming_content) if found.streaming else found.content
        return Answer(found.status_code, dict(found.items()), content)


@pytest.fixture
def wire() -> InProcess:
    return InProcess()


@pytest.fixture
def vwg(alice_token: str, wire: InProcess) -> Vwg:
    """Alice's shop."""
    return Vwg("http://testserver", alice_token, sender=wire, sleep=lambda _: None)


@pytest.fixture
def operator_vwg(operator_token: str, wire: InProcess) -> Vwg:
    return Vwg("http://testserver", operator_token, sender=wire, sleep=lambda _: None)
