"""The README's program runs as it stands."""

from __future__ import annotations

import re

import pytest
import vwg_client
from vwg_client import Vwg

from gateways.models import GlobalSetting, Interface
from peers.models import Client
from tests.integration.python_client.test_schema import PACKAGE


def test_the_readme_runs(vwg: Vwg, interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    GlobalSetting.objects.update(endpoint_address="vpn.example.org")
    monkeypatch.setattr(vwg_client, "Vwg", lambda *_: vwg)
    program = re.search(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    assert program is not None
    space: dict[str, object] = {}
    exec(program[1], space)  # noqa: S102
    assert "[Interface]" in str(space["config"])
    assert Client.objects.get().deleted_at is not None
