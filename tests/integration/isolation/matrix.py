"""One operation, asked by everybody for everything: what is wrong with the answers.

Whatever a request does is rolled back behind it. Time stands still, so that two answers to the
same question are equal byte by byte.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final
from unittest.mock import patch

from django.db import connection, transaction
from django.db.models import Model
from django.urls import get_resolver
from django.utils import timezone

from tenants.throttling import Counters
from tests.integration.isolation.declarations import PARAMETERS, Entry
from tests.integration.isolation.roles import Role, integrator, roles_of, strangers
from tests.integration.isolation.world import (
    Side,
    asked,
    build,
    build_shared,
    every_key,
    idempotency_key,
    values_of,
)

NOW: Final = datetime(2030, 5, 17, 12, 0, 0, tzinfo=UTC)
MISSING: Final = "00000000-dead-4000-8000-000000000000"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_COUNTED: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_REFUSED: Final = frozenset({400, 404, 409})
_UNSAFE: Final = ("POST", "PUT", "PATCH", "DELETE")
_FURTHEST: Final = ("owner of A", "operator")


@dataclass(frozen=True)
class Answer:
    """What came back, as far as two answers can be compared."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def text(self) -> str:
        """All that can be read in it: an archive's files too."""
        body = self.content.decode(errors="replace")
        if self.content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
                body = "\n".join(
                    f"{one}\n{archive.read(one).decode(errors='replace')}"
                    for one in archive.namelist()
                )
        return f"{self.headers}\n{body}"

    def less(self, *sent: str) -> str:
        """The answer without ids, and without what was sent."""
        text = f"{self.status} {self.text}"
        for one in sent:
            text = text.replace(one, "SENT")
        return _UUID.sub("UUID", text)


@dataclass
class Outcome:
    """What an operation's cells showed."""

    cells: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """One request, less who sends it. ``sent`` are the ids that it names."""

    target: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: tuple[str, ...] = ()


@contextmanager
def still() -> Iterator[None]:
    """Time stands still, and nobody has asked too often."""
    get_resolver().url_patterns  # noqa: B018 - a view imported meanwhile would keep this clock
    with (
        patch.object(timezone, "now", lambda: NOW),
        patch.object(Counters, "add", lambda _, names, **__: [1] * len(names)),
    ):
        yield


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of what happens here stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that change something; where there are none, nothing need be compared."""
    seen: list[str] = []

    def note(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if str(sql).split(" ", 1)[0].upper() in ("INSERT", "UPDATE", "DELETE", "WITH"):
            seen.append(str(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


class Stage:
    """The world in which everything is asked, and everybody who asks."""

    def __init__(self) -> None:
        with still():
            shared = build_shared()
            self.a = build("A", shared, NOW)
            self.callers = [*roles_of(self.a), *strangers(self.a), integrator(self.a)]
            before = every_key()
            self.b = build("B", shared, NOW)
        self.callers += [one for one in roles_of(self.b) if one.level == "owner"]
        self.readers = [one for one in self.callers if one.level in ("owner", "viewer")]
        self.readers = [one for one in self.readers if one.home is self.a]
        self.secrets = self._secrets(before)

    def _secrets(self, before: Mapping[type[Model], set[Any]]) -> dict[str, re.Pattern[str]]:
        """What nobody else may be shown of each side, and of A even to its sandbox."""
        a, b = self.a.values(), self.b.values()
        mine = {key for keys in (self.a.rows, self.a.twins) for key in _pairs(keys)}
        rest: dict[type[Model], list[Any]] = {}
        for model, key in set(_pairs(before)) - mine:
            rest.setdefault(model, []).append(key)
        others = values_of(rest)
        return {
            "A": _any_of(a - b - others),
            "B": _any_of(b - a - others),
            "A but its sandbox": _any_of(values_of(self.a.rows) - values_of(self.a.twins) - b),
        }


class Examination:
    """All cells of one operation; ``hasty``: no further than to the first fault."""

    def __init__(
        self,
        stage: Stage,
        operation: str,
        entry: Entry,
        described: Mapping[str, Any],
        *,
        hasty: bool = False,
    ) -> None:
        self.method, self.path = operation.split(" ", 1)
        self.entry, self.described, self.hasty = entry, described, hasty
        self.stage, self.a, self.b = stage, stage.a, stage.b
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Ask, and judge the answers."""
        with still(), suppress(_Enough):
            for role in self.stage.callers:
                self._ask_as(role)
            if self.method not in _UNSAFE:
                with undone():
                    self.b.vanish()
                    alone = self._readings()
                self._compare(alone, self._readings())
        return self.outcome

    def scan(self) -> None:
        """Ask as who gets furthest, to see which code is run; nothing is judged."""
        with still():
            for role in self.stage.callers:
                if role.name in _FURTHEST:
                    self._ask_as(role)
            if self.method not in _UNSAFE:
                self._readings()

    # -- asking --------------------------------------------------------------------------------

    def _ask_as(self, role: Role) -> None:
        refusal = role.refusal(self.method, self.entry)
        own, other = (role.home or self.b, self.b if role.home is self.a else self.a)
        answers: dict[str, tuple[Question, Answer]] = {}
        for question in self._questions(role, own, other):
            with undone(), writes() as written:
                answer = self._send(role, question)
                self._judge(role, question, answer, refusal)
                if written:
                    self._unchanged(role, question)
            answers[question.target] = (question, answer)
        self._indistinguishable(role, answers)

    def _questions(self, role: Role, own: Side, other: Side) -> Iterator[Question]:
        """Own, foreign, missing, deleted; foreign and missing things in the body; another's key."""
        names = _PARAMETER.findall(self.path)
        at = {**PARAMETERS, **self.entry.at}
        body = self.entry.body
        whose = {"own": own.ids, "foreign": other.ids, "missing": _Nowhere()}
        for mix in product(whose, repeat=len(names)):
            target = "+".join(dict.fromkeys(mix)) or "own"
            if (role.home is None and target == "own" and names) or (
                role.operator and "foreign" in mix
            ):
                continue
            ids = {name: whose[which][at[name]] for name, which in zip(names, mix, strict=True)}
            yield self._question(target, ids, _filled(body, own.ids, other.ids))
        ids = {name: own.ids[at[name]] for name in names}
        if "client_id" in ids and at["client_id"] == "client":
            gone = {**ids, "client_id": own.ids["gone"]}
            yield self._question("gone", gone, _filled(body, own.ids, other.ids))
        if role.refusal(self.method, self.entry) or role.operator:
            return
        for place, reference in _references(body):
            for target, source in (("foreign", other.ids), ("missing", _Nowhere())):
                changed = _filled(_put(body, place, source[reference]), own.ids, other.ids)
                question = self._question(f"{target} {reference}", ids, changed)
                yield Question(**{**vars(question), "sent": (*question.sent, source[reference])})
        if self.method == "POST" and self.entry.kind == "tenant" and role.level == "owner":
            key = {"HTTP_IDEMPOTENCY_KEY": idempotency_key(other.letter)}
            plain = self._question("other's key", ids, _filled(body, own.ids, other.ids))
            yield Question(**{**vars(plain), "headers": key})

    def _question(self, target: str, ids: Mapping[str, str], body: Any) -> Question:
        sent = (*ids.values(), *_strings(body))
        return Question(target, self.path.format(**ids), body, {}, sent)

    def _send(self, role: Role, question: Question) -> Answer:
        extra: dict[str, Any] = dict(question.headers)
        if role.header:
            extra["HTTP_X_VWG_TENANT"] = role.header
        data: Any = question.body
        if data is None:
            data = b""
        else:
            extra["content_type"] = self.entry.content_type
            data = data if isinstance(data, bytes) else json.dumps(data)
        role.api.raise_request_exception = False
        response = role.api.generic(self.method, question.path, data, **extra)
        self.outcome.cells += 1
        shown = sorted((k, v) for k, v in response.items() if k not in _COUNTED)
        content = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, tuple(shown), bytes(content))

    # -- judging -------------------------------------------------------------------------------

    def _judge(self, role: Role, question: Question, answer: Answer, refusal: int) -> None:
        wanted = self._wanted(role, question.target, refusal)
        if answer.status not in wanted:
            shown = " or ".join(map(str, sorted(wanted)[:3]))
            self._fault(role, question, f"{answer.status}, not {shown}: {answer.content[:300]!r}")
        if role.operator:
            return
        text = answer.text
        for one in (*question.sent, role.parent or "\0"):
            text = text.replace(one, "")
        for whose in self._not_for(role):
            if found := self.stage.secrets[whose].search(text):
                self._fault(role, question, f"shows {found[0]!r} of {whose}")

    def _not_for(self, role: Role) -> tuple[str, ...]:
        """Whose things this caller may not be shown."""
        if role.home is None:
            return ("A but its sandbox", "B")
        return ("A", "B") if role.answers else ("A",) if self._is_b(role) else ("B",)

    def _wanted(self, role: Role, target: str, refusal: int) -> frozenset[int]:
        if refusal:
            return frozenset({refusal})
        if role.home is None:  # what a sandbox may do is not the question
            return _REFUSED if target in ("foreign", "missing") else _REFUSED | self.entry.ok
        if target in ("own", "other's key"):
            return self.entry.ok
        if target == "gone":
            return self.entry.gone
        if " " in target:  # something in the body
            return _REFUSED | self.entry.ok
        return frozenset({404})

    def _unchanged(self, role: Role, question: Question) -> None:
        """What is not the caller's is as it was."""
        if role.operator and self.entry.kind == "operator":
            return
        sides = [self.a, self.b] if role.answers or role.home is None else []
        sides = sides or [self.a if self._is_b(role) else self.b]
        for side in sides:
            now = side.fingerprint()
            changed = [table for table, rows in now.items() if rows != side.first[table]]
            if changed:
                self._fault(role, question, f"changed {side.letter}'s {', '.join(changed)}")

    def _indistinguishable(
        self, role: Role, answers: Mapping[str, tuple[Question, Answer]]
    ) -> None:
        """Foreign things answer as those that never were."""
        for target, (question, answer) in answers.items():
            if target.startswith("foreign") or target == "own+foreign":
                twin = target.replace("foreign", "missing")
                if twin not in answers:
                    continue
                asked_twin, answer_twin = answers[twin]
                if answer.less(*question.sent) != answer_twin.less(*asked_twin.sent):
                    self._fault(role, question, f"differs from {twin}: {answer.content[:200]!r}")

    # -- with and without the other ------------------------------------------------------------

    def _readings(self) -> dict[tuple[str, str], Answer]:
        """What A's people read of their own, with all that can be asked for of B's."""
        names = _PARAMETER.findall(self.path)
        at = {**PARAMETERS, **self.entry.at}
        path = self.path.format(**{name: self.a.ids[at[name]] for name in names})
        queries = [""]
        for parameter in self.described.get("parameters", ()):
            if parameter.get("in") != "query" or parameter["name"] in ("cursor", "limit"):
                continue
            words = parameter["schema"].get("enum")
            values = words or list(asked("B").values())
            queries += [f"?{parameter['name']}={value}" for value in values]
            queries += ["?limit=1"] if parameter["name"] == "ordering" else []
        with undone():
            return {
                (role.name, query): self._send(role, Question("own", path + query))
                for role in self.stage.readers
                for query in (queries if role.level == "owner" else queries[:1])
            }

    def _compare(
        self,
        alone: Mapping[tuple[str, str], Answer],
        together: Mapping[tuple[str, str], Answer],
    ) -> None:
        for (role, query), answer in together.items():
            first = alone[role, query]
            if self._stable(answer) != self._stable(first):
                parting = _difference(first.less(), answer.less())
                self._note(f"{self.path}{query} as {role}: B's rows show: {parting}")
            text = answer.text.replace(query.partition("=")[2] or "\0", "")
            if found := self.stage.secrets["B"].search(text):
                self._note(f"{self.path}{query} as {role}: shows {found[0]!r} of B")

    def _stable(self, answer: Answer) -> tuple[object, ...]:
        """The answer less what is declared to vary."""
        content = answer.content
        for name in self.entry.varies:
            content = re.sub(rb'"%s":"[^"]*"' % name.encode(), b"", content)
        return answer.status, answer.headers, content

    def _is_b(self, role: Role) -> bool:
        return role.home is self.b

    def _fault(self, role: Role, question: Question, what: str) -> None:
        self._note(f"{self.path} as {role.name}, {question.target}: {what}")

    def _note(self, what: str) -> None:
        self.outcome.faults.append(f"{self.method} {what}")
        if self.hasty:
            raise _Enough


class _Enough(Exception):
    """One fault was all that was asked for."""


class _Nowhere(dict[str, str]):
    """An id for everything, of nothing."""

    def __missing__(self, kind: str) -> str:
        return "0" * 43 + "=" if kind == "key" else MISSING


def _difference(one: str, other: str) -> str:
    """Where two texts part."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    return f"…{one[max(0, at - 40) : at + 60]!r} -> {other[max(0, at - 40) : at + 60]!r}"


def _any_of(texts: set[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))))


def _pairs(rows: Mapping[type[Model], Collection[Any]]) -> Iterator[tuple[type[Model], Any]]:
    return ((model, key) for model, keys in rows.items() for key in keys)


def _strings(body: Any) -> Iterator[str]:
    """Every text in a body, for an answer may repeat what it was sent."""
    if isinstance(body, dict | list):
        for one in body.values() if isinstance(body, dict) else body:
            yield from _strings(one)
    elif isinstance(body, str) and len(body) > 5:
        yield body


def _filled(body: Any, own: Mapping[str, str], other: Mapping[str, str]) -> Any:
    """The body with ids in place of references."""
    if isinstance(body, dict):
        return {key: _filled(value, own, other) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, own, other) for value in body]
    if body == "@logo":
        return _png()
    if body == "@?key":
        return "CCCC" * 10 + "wxU="
    if isinstance(body, str) and body.startswith("@other "):
        return other[body[7:]]
    return own[body[1:]] if isinstance(body, str) and body.startswith("@") else body


def _references(body: Any, place: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], str]]:
    """Where in a body the tenant's own things are named, and which."""
    if isinstance(body, dict):
        return [one for key, value in body.items() for one in _references(value, (*place, key))]
    if isinstance(body, list):
        return [one for i, value in enumerate(body) for one in _references(value, (*place, i))]
    fixed = ("@other ", "@logo", "@?")
    if isinstance(body, str) and body.startswith("@") and not body.startswith(fixed):
        return [(place, body[1:])]
    return []


def _put(body: Any, place: tuple[Any, ...], value: str) -> Any:
    changed = deepcopy(body)
    spot = changed
    for step in place[:-1]:
        spot = spot[step]
    spot[place[-1]] = value
    return changed


def _png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
