"""What a shop does to its clients, on a real interface: at once for them, unnoticed by others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.conftest import Figure
from tests.live.site import Site, Witness, control_run
from tests.live.test_zero_loss import judge

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]

NUMBER = 5


def test_the_acts_of_a_shop(site: Site, figure: Figure) -> None:
    """Each act's answer says that it is live; `wg` itself must show it by then."""
    bystanders = [site.connect("Ava's console")]
    made = [site.add_client(f"customer {number}") for number in range(NUMBER)]
    keys = {one["id"]: one["devices"][0]["public_key"] for one in made}

    def act(word: str, **body: object) -> list[Any]:
        return [site.act("POST", f"/api/v1/clients/{one}/{word}", body) for one in keys]

    def shown() -> list[str]:
        peers = site.peers()
        return [peers[key].allowed_ips if key in peers else "gone" for key in keys.values()]

    control = control_run(site, bystanders, 3.0)
    live = shown()
    with Witness(site, bystanders) as witness:
        for word, undo in (("suspend", "unsuspend"), ("terminate", "restore")):
            act(word)
            assert set(shown()) <= {"(none)", "gone"}, word
            act(undo)
            assert shown() == live, undo
        act("kick", seconds=5)
        assert "(none)" in shown()
        site.stack.wait_until(lambda: shown() == live, "the kicks end by themselves", seconds=60)
        old = set(keys.values())
        for body in act("rotate-keys"):
            keys[body["id"]] = body["devices"][0]["public_key"]
        assert shown() == live
        assert not old & set(site.peers())
    judge(site, "shop_acts", witness, control, figure)
    assert {job["tier"] for job in site.jobs()} <= {None, 1}
