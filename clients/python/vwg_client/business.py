"""The rest of a reseller's day: plans, tokens, members, the tenant itself, jobs and events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Unpack

from vwg_client import models
from vwg_client.errors import JobFailed, Unreachable
from vwg_client.groups import Group, Options, Span, Stretch, client_path, one, span_query


class _Plan(models.PlanCreate, Options, total=False):
    pass


class _PlanChange(models.PlanChange, Options, total=False):
    pass


class _Token(models.TokenCreate, Options, total=False):
    pass


class _TokenChange(models.TokenChange, Options, total=False):
    pass


class _Login(models.LoginCreate, Options, total=False):
    pass


class _Member(models.MemberCreate, Options, total=False):
    pass


class _MemberPatch(models.MemberPatch, Options, total=False):
    pass


class _OwnTenant(models.OwnTenantChange, Options, total=False):
    pass


class Plans(Group):
    """/plans"""

    def list(self, **query: Unpack[models.PlansQuery]) -> Iterator[models.Plan]:
        return self._pages("/plans", query)

    def create(self, **fields: Unpack[_Plan]) -> models.Plan:
        made: models.Plan = self._post("/plans", fields)
        return made

    def get(self, plan_id: str) -> models.Plan:
        found: models.Plan = self._get(one("plans", plan_id))
        return found

    def update(self, plan_id: str, **fields: Unpack[_PlanChange]) -> models.Plan:
        changed: models.Plan = self._patch(one("plans", plan_id), fields)
        return changed

    def delete(self, plan_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("plans", plan_id), **options)


class Tokens(Group):
    """/tokens"""

    def list(self, **query: Unpack[models.TokensQuery]) -> Iterator[models.Token]:
        return self._pages("/tokens", query)

    def create(self, **fields: Unpack[_Token]) -> models.TokenWithText:
        """Its text is shown once: after a lost answer the repeated one is without it."""
        made: models.TokenWithText = self._post("/tokens", fields)
        return made

    def get(self, token_id: str) -> models.Token:
        found: models.Token = self._get(one("tokens", token_id))
        return found

    def update(self, token_id: str, **fields: Unpack[_TokenChange]) -> models.Token:
        changed: models.Token = self._patch(one("tokens", token_id), fields)
        return changed

    def revoke(self, token_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("tokens", token_id), **options)


class Members(Group):
    """/members"""

    def list(self, **query: Unpack[models.MembersQuery]) -> Iterator[models.Member]:
        return self._pages("/members", query)

    def create(self, **fields: Unpack[_Member]) -> models.Member:
        made: models.Member = self._post("/members", fields)
        return made

    def get(self, user_id: str) -> models.Member:
        found: models.Member = self._get(one("members", user_id))
        return found

    def update(self, user_id: str, **fields: Unpack[_MemberPatch]) -> models.Member:
        changed: models.Member = self._patch(one("members", user_id), fields)
        return changed

    def remove(self, user_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("members", user_id), **options)


class Logins(Group):
    """/logins: who sees a client as its customer"""

    def list(self, ref: str, **query: Unpack[models.ClientsLoginsQuery]) -> Iterator[models.Login]:
        return self._pages(client_path(ref, "logins"), query)

    def create(self, ref: str, **fields: Unpack[_Login]) -> models.Login:
        """Let somebody see the client. A mail tells the way in."""
        made: models.Login = self._post(client_path(ref, "logins"), fields)
        return made

    def get(self, login_id: str) -> models.Login:
        found: models.Login = self._get(one("logins", login_id))
        return found

    def remove(self, login_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("logins", login_id), **options)


class Usage(Group):
    """/usage and /statements"""

    def get(self) -> models.OwnUsage:
        """What the tenant used in its period, and how its pool stands."""
        found: models.OwnUsage = self._get("/usage")
        return found

    def series(self, *, interface: str | None = None, **span: Unpack[Span]) -> models.Series:
        """What it used, hour by hour or day by day."""
        query = span_query(span) | ({"interface": interface} if interface else {})
        found: models.Series = self._get("/usage/series", query)
        return found

    def interfaces(self, **stretch: Unpack[Stretch]) -> models.InterfacesUsage:
        """What it used on each interface."""
        found: models.InterfacesUsage = self._get("/usage/interfaces", span_query(stretch))
        return found

    def statement(self, **stretch: Unpack[Stretch]) -> models.Statement:
        """What each client used in a month, deleted ones included."""
        found: models.Statement = self._get("/statements", span_query(stretch))
        return found

    def statement_csv(self, **stretch: Unpack[Stretch]) -> bytes:
        """The same as a spreadsheet."""
        return self._raw("/statements", "text/csv", span_query(stretch)).data


class OwnTenant(Group):
    """/me and /tenant"""

    def me(self) -> models.Me:
        """Who this token is, and what it may do."""
        found: models.Me = self._get("/me")
        return found

    def get(self) -> models.OwnTenant:
        found: models.OwnTenant = self._get("/tenant")
        return found

    def update(self, **fields: Unpack[_OwnTenant]) -> models.OwnTenant:
        changed: models.OwnTenant = self._patch("/tenant", fields)
        return changed

    def export(self) -> str:
        """Everything vwg keeps for the tenant, as lines of JSON."""
        return self._transport.call("POST", "/tenant/export", {}, accept="*/*").data.decode()

    def logo(self) -> bytes:
        return self._raw("/tenant/logo", "image/*").data

    def set_logo(self, picture: bytes, media_type: str = "image/png") -> None:
        self._transport.call("PUT", "/tenant/logo", content=(media_type, picture))

    def delete_logo(self) -> None:
        self._delete("/tenant/logo")


class Jobs(Group):
    """/jobs"""

    def list(self, **query: Unpack[models.JobsQuery]) -> Iterator[models.Job]:
        return self._pages("/jobs", query)

    def get(self, job_id: str) -> models.JobDetail:
        found: models.JobDetail = self._get(one("jobs", job_id))
        return found

    def items(
        self, job_id: str, **query: Unpack[models.JobsItemsQuery]
    ) -> Iterator[models.JobItem]:
        return self._pages(one("jobs", job_id, "items"), query)

    def retry(self, job_id: str, **options: Unpack[Options]) -> models.Job:
        """Operators: try again what failed."""
        retried: models.Job = self._post(one("jobs", job_id, "retry"), options)
        return retried

    def wait(self, job: models.JobRef, *, seconds: float = 30.0) -> models.JobDetail:
        """Look at a job until it is finished. Raises `JobFailed`, and `Unreachable` in time."""
        end = time.monotonic() + seconds
        while True:
            found = self.get(job["id"])
            if found["finished_at"] is not None:
                break
            if time.monotonic() > end:
                raise Unreachable(f"job {job['id']} is not finished after {seconds} s")
            time.sleep(0.1)
        if found["status"] == "failed":
            raise JobFailed(found)
        return found


class Events(Group):
    """/events: who did what."""

    def list(self, **query: Unpack[models.EventsQuery]) -> Iterator[models.Event]:
        return self._pages("/events", query)
