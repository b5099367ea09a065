"""How many requests a minute: per token, per tenant, and wrong tokens per address.

Each limit is a counter of one minute of the clock, in Redis, so that all web processes share it:
one round trip for all of a request's counters. While Redis is dead or hung each process counts by
itself: that fails open across processes, costs a few milliseconds once in a while, and never a
request.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeVar

import redis
from django.conf import settings
from django.http import HttpRequest
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from tenants.models import ApiToken
from tenants.scoping import Caller, client_address

T = TypeVar("T")
WINDOW: Final = 60
_KEPT: Final = 2 * WINDOW
#: Redis answers in a fraction of a millisecond; one that takes longer is not waited for.
_PATIENCE: Final = 0.005
#: So long it is left alone then.
_PAUSE: Final = 2.0


@dataclass(frozen=True)
class Standing:
    """What is left of the limit that is nearest."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def headers(self) -> dict[str, str]:
        """``RateLimit-Limit``, ``-Remaining`` and ``-Reset``."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }

    def check(self) -> None:
        """Raise Throttled (429) when it is used up."""
        if self.used > self.limit:
            raise Throttled(wait=self.reset)


class Counters:
    """Counts by name and minute, shared through Redis while it answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._own: Counter[str] = Counter()
        self._client: redis.Redis | None = None
        self._rests_until = 0.0

    def add(self, names: Sequence[str], *, at: float) -> list[int]:
        """Count each name once more in this minute, and return how often that was."""
        minute = int(at // WINDOW)
        return self._ask(
            lambda: self._add_shared(names, minute), lambda: self._add_own(names, minute)
        )

    def look(self, name: str, *, at: float) -> int:
        """How often it was counted in this minute so far."""
        minute = int(at // WINDOW)
        return self._ask(
            lambda: int(self._shared().get(_key(name, minute)) or 0),
            lambda: self._look_own(name, minute),
        )

    def forget(self) -> None:
        """Begin at 0 again, in this process."""
        with self._lock:
            self._own.clear()

    def _ask(self, shared: Callable[[], T], own: Callable[[], T]) -> T:
        """What Redis says; what this process knows by itself, while Redis is left alone."""
        if time.monotonic() >= self._rests_until:
            try:
                return shared()
            except redis.RedisError:
                self._rests_until = time.monotonic() + _PAUSE
        return own()

    def _shared(self) -> redis.Redis:
        if self._client is None:
            self._client = _connect(settings.REDIS_URL)
        return self._client

    def _add_shared(self, names: Sequence[str], minute: int) -> list[int]:
        pipeline = self._shared().pipeline(transaction=False)
        for name in names:
            key = _key(name, minute)
            pipeline.incr(key)
            pipeline.expire(key, _KEPT)
        return [int(count) for count in pipeline.execute()[::2]]

    def _look_own(self, name: str, minute: int) -> int:
        with self._lock:
            return self._own[name] if minute == self._minute else 0

    def _add_own(self, names: Sequence[str], minute: int) -> list[int]:
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._own.clear()
            self._own.update(names)
            return [self._own[name] for name in names]


counters: Final = Counters()


def spend(limits: Sequence[tuple[str, int]], *, at: float | None = None) -> Standing | None:
    """Count a request against each (name, limit) and return the nearest; 0 is no limit.

    The names of different kinds must differ: ``token:7``, ``tenant:7``.
    """
    real = [(name, limit) for name, limit in limits if limit]
    if not real:
        return None
    now = time.time() if at is None else at
    counts = counters.add([name for name, _ in real], at=now)
    found = [
        Standing(limit, used, _reset(now)) for (_, limit), used in zip(real, counts, strict=True)
    ]
    return min(found, key=lambda standing: standing.limit - standing.used)


def standing(name: str, limit: int, *, at: float) -> Standing:
    """How a limit stands. Counts nothing."""
    return Standing(limit, counters.look(name, at=at), _reset(at))


def spend_request(caller: Caller) -> Standing | None:
    """Count a request of a caller: against the token or the person, and against the tenant.

    An operator who acts for a tenant spends nothing of the tenant's.
    """
    limits = [_own_limit(caller.token, caller)]
    if not caller.operator:
        theirs = caller.tenant.requests_per_minute
        limits.append((f"tenant:{caller.tenant_id}", _or(theirs, settings.VWG_TENANT_REQUESTS)))
    return spend(limits)


def spend_failure(request: HttpRequest | Request) -> None:
    """Count a request of nobody against the address it came from: a wrong token, or one of a tenant
    that may do nothing. Raises Throttled (429).

    A good token from there is let through: the limit slows a search down, and locks nobody out.
    """
    limit = settings.VWG_WRONG_TOKENS
    found = spend([(f"wrong:{network_of(client_address(request))}", limit)])
    if found is not None:
        found.check()


def network_of(address: str | None) -> str:
    """Whom an address stands for: an IPv4 address itself, an IPv6 one its /64."""
    if address is None:
        return "local"
    found = ip_address(address)
    return address if found.version == 4 else str(ip_network((found, 64), strict=False))


def _own_limit(token: ApiToken | None, caller: Caller) -> tuple[str, int]:
    if token is not None:
        return f"token:{token.pk}", _or(token.requests_per_minute, settings.VWG_TOKEN_REQUESTS)
    return f"user:{caller.actor.id}", settings.VWG_TOKEN_REQUESTS


def _or(limit: int | None, default: int) -> int:
    return default if limit is None else limit


def _reset(at: float) -> int:
    """Seconds until the minute is over."""
    return WINDOW - int(at % WINDOW)


def _key(name: str, minute: int) -> str:
    return f"vwg:rate:{minute}:{name}"


def _connect(url: str) -> redis.Redis:
    """A client that tries once, and gives up soon. Kombu's spelling of a socket is understood."""
    options: dict[str, Any] = {
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    return redis.Redis.from_url(url.replace("redis+socket://", "unix://", 1), **options)
