"""Schemathesis over the whole description, for three roles, against a real stack.

What it sends is allowed by the description, or just not; the answers must be what the description
says. Two of its checks do not fit and are left out: what a schema allows may still be refused for
its meaning (`positive_data_acceptance`), and a deleted client is found for a while, since it can
be restored (`use_after_free`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Figure, note_figure
from tests.stack.conftest import short_path
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg, pytest.mark.proof]

CASES = 2_000
#: Whoever may change tokens sooner or later takes away the one that he came with. The operator's is
#: another tenant's, so that these are tried by him.
NOT_BY_THE_TENANT = "v1_tokens_(destroy|partial_update)"
LEFT_OUT = ("positive_data_acceptance", "use_after_free")
_LIMITS = ("TOKEN_REQUESTS", "TENANT_REQUESTS", "WRONG_TOKENS")
_MEMBER = """
from tenants.models import *
from tenants.tokens import issue
tenant = Tenant.objects.get(slug="acme")
user = User.objects.create_user("victor", "victor@example.org")
Membership.objects.create(tenant=tenant, user=user, role="viewer")
print(issue(tenant=tenant, name="victor", scopes=["*"], user=user)[1])
"""


#: Every refusal of ours is one, 412 and those of the web server too.
_CONFIG = """
[checks.negative_data_rejection]
expected-statuses = ["4xx", "5xx"]
"""


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {f"VWG_{name}_PER_MINUTE": "0" for name in _LIMITS}
    with Stack(short_path(tmp_path_factory), settings=settings) as running:
        running.manage("create_tenant", "--name", "acme")  # the one that the examples name
        yield running


def token_of(stack: Stack, role: str) -> str:
    if role == "viewer":
        return stack.manage("shell", "-v", "0", "-c", _MEMBER).strip().splitlines()[-1]
    words = ["--tenant", "acme"] if role == "tenant" else ["--operator"]
    return stack.token(*words)


def fuzz(stack: Stack, token: str, report: Path, *words: str) -> tuple[str, list[dict[str, Any]]]:
    """Run Schemathesis; what it printed, and the events of its report."""
    argv = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{stack.url}/api/v1/schema/",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        f"--exclude-checks={','.join(LEFT_OUT)}",
        "--continue-on-failure",
        "--max-examples=10",
        "--report=ndjson",
        f"--report-ndjson-path={report}",
        *words,
    ]
    (report.parent / "schemathesis.toml").write_text(_CONFIG)
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=3600, cwd=report.parent, check=False
    )
    events = [json.loads(line) for line in report.read_text().splitlines()]
    return done.stdout + done.stderr, events


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ["tenant", "operator", "viewer"])
def test_answers_are_as_described(role: str, stack: Stack, tmp_path: Path) -> None:
    report = tmp_path / "events.ndjson"
    words = [f"--exclude-operation-id-regex={NOT_BY_THE_TENANT}"] if role == "tenant" else []
    text, events = fuzz(stack, token_of(stack, role), report, *words)
    finished = [event["ScenarioFinished"] for event in events if "ScenarioFinished" in event]
    recorders = [scenario["recorder"] for scenario in finished if scenario.get("recorder")]
    cases = sum(len(recorder.get("cases", ())) for recorder in recorders)
    statuses = Counter(
        answer["response"]["status_code"]
        for recorder in recorders
        for answer in recorder.get("interactions", {}).values()
        if answer.get("response")
    )
    failed = Counter(
        (check["name"], recorder["label"])
        for recorder in recorders
        for checks in recorder.get("checks", {}).values()
        for check in checks
        if check["status"] == "failure"
    )
    figure: Figure = note_figure
    figure(f"fuzz_{role}_cases", cases)
    figure(f"fuzz_{role}_server_errors", sum(statuses[code] for code in (500, 502, 503)))
    figure(f"fuzz_{role}_failed_checks", failed.total())
    print(sorted(statuses.items()))
    assert not failed, f"{failed}\n{text[-8000:]}"
    assert cases >= CASES
    assert statuses[200] + statuses[201] > 50, "nothing was let in"
