"""What a shop does all day: clients and their devices.

A client is named by its id, or by the shop's own: ``External("order-4711")``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from vwg_client import models
from vwg_client.groups import Group, Options, Span, client_path, one, span_query


class _Create(models.ClientCreate, Options, total=False):
    pass


class _Patch(models.ClientPatch, Options, total=False):
    pass


class _Why(models.Suspend, Options, total=False):
    pass


class _Disable(models.Disable, Options, total=False):
    pass


class _Kick(models.Kick, Options, total=False):
    pass


class _RotateKeys(models.RotateKeys, Options, total=False):
    pass


class _Extend(models.Extend, Options, total=False):
    pass


class _TopUp(models.TopUp, Options, total=False):
    pass


class _ChangePlan(models.ChangePlan, Options, total=False):
    pass


class _Move(models.Move, Options, total=False):
    pass


class _Transfer(models.Transfer, Options, total=False):
    pass


class _NewDevice(models.DeviceCreate, Options, total=False):
    pass


class _DevicePatch(models.DevicePatch, Options, total=False):
    pass


class _Link(models.LinkCreate, Options, total=False):
    pass


class Clients(Group):
    """/clients"""

    def list(self, **query: Unpack[models.ClientsQuery]) -> Iterator[models.Client]:
        return self._pages("/clients", query)

    def create(self, **fields: Unpack[_Create]) -> models.ClientWithJob:
        """Make a client with one device. Without ``public_key`` the portal makes the key pair."""
        made: models.ClientWithJob = self._post("/clients", fields)
        return made

    def get(self, ref: str) -> models.Client:
        found: models.Client = self._get(client_path(ref))
        return found

    def update(self, ref: str, **fields: Unpack[_Patch]) -> models.ClientWithJob:
        """Change what is named and nothing else; with ``if_match``, only if it is as it was."""
        changed: models.ClientWithJob = self._patch(client_path(ref), fields)
        return changed

    def delete(self, ref: str, **options: Unpack[Options]) -> models.JobOnly | None:
        """Delete a client; `restore` brings it back for a while. The job, if it waited."""
        gone: models.JobOnly | None = self._delete(client_path(ref), **options)
        return gone

    def suspend(self, ref: str, **fields: Unpack[_Why]) -> models.ClientWithJob:
        """As a shop means it: unpaid. Only `unsuspend` undoes it."""
        return self._act(ref, "suspend", fields)

    def unsuspend(self, ref: str, **options: Unpack[Options]) -> models.ClientWithJob:
        return self._act(ref, "unsuspend", options)

    def terminate(self, ref: str, **options: Unpack[Options]) -> models.ClientWithJob:
        """The end of a service: as `delete`, but answering with the client."""
        return self._act(ref, "terminate", options)

    def restore(self, ref: str, **options: Unpack[Options]) -> models.ClientWithJob:
        """Bring a deleted client back with its keys and addresses."""
        return self._act(ref, "restore", options)

    def enable(self, ref: str, **options: Unpack[Options]) -> models.ClientWithJob:
        """Undo `disable`, and nothing else."""
        return self._act(ref, "enable", options)

    def disable(self, ref: str, **fields: Unpack[_Disable]) -> models.ClientWithJob:
        """Switch off by hand. Only `enable` undoes it."""
        return self._act(ref, "disable", fields)

    def kick(self, ref: str, **fields: Unpack[_Kick]) -> models.ClientWithJob:
        """Block for a while, one minute unless said, then back."""
        return self._act(ref, "kick", fields)

    def rotate_keys(self, ref: str, **fields: Unpack[_RotateKeys]) -> models.ClientWithJob:
        """New keys; the old ones are gone at once."""
        return self._act(ref, "rotate-keys", fields)

    def change_plan(self, ref: str, **fields: Unpack[_ChangePlan]) -> models.ClientWithJob:
        return self._act(ref, "change-plan", fields)

    def extend(self, ref: str, **fields: Unpack[_Extend]) -> models.ClientWithJob:
        """More days, and more bytes in every period."""
        return self._act(ref, "extend", fields)

    def top_up(self, ref: str, **fields: Unpack[_TopUp]) -> models.ClientWithJob:
        """More days, and more bytes for the period that runs."""
        return self._act(ref, "top-up", fields)

    def reset_usage(self, ref: str, **options: Unpack[Options]) -> models.ClientWithJob:
        """Begin the bytes of the period at 0."""
        return self._act(ref, "reset-usage", options)

    def move(self, ref: str, **fields: Unpack[_Move]) -> models.ClientWithJob:
        """To another interface."""
        return self._act(ref, "move", fields)

    def transfer(self, ref: str, **fields: Unpack[_Transfer]) -> models.ClientWithJob:
        """To another tenant: operators only."""
        return self._act(ref, "transfer", fields)

    def _act(self, ref: str, act: str, fields: object) -> models.ClientWithJob:
        done: models.ClientWithJob = self._post(client_path(ref, act), fields)  # type: ignore[arg-type]
        return done

    def config(self, ref: str) -> str:
        """The file of a client's one device. It holds a secret: never log or keep it."""
        return self._raw(client_path(ref, "config"), "text/plain").data.decode()

    def qr_svg(self, ref: str) -> bytes:
        """The file as a QR code."""
        return self._raw(client_path(ref, "config"), "image/svg+xml").data

    def qr_png(self, ref: str) -> bytes:
        return self._raw(client_path(ref, "config"), "image/png").data

    def configs(self, **fields: Unpack[models.ConfigSelection]) -> bytes:
        """The files of many clients, as a zip archive."""
        answer = self._transport.call("POST", "/clients/configs", fields, accept="application/zip")
        return answer.data

    def devices(self, ref: str, **query: Unpack[models.ClientsPeersQuery]) -> Iterator[models.Peer]:
        return self._pages(client_path(ref, "peers"), query)

    def add_device(self, ref: str, **fields: Unpack[_NewDevice]) -> models.PeerWithJob:
        made: models.PeerWithJob = self._post(client_path(ref, "peers"), fields)
        return made

    def links(
        self, ref: str, **query: Unpack[models.ClientsShareLinksQuery]
    ) -> Iterator[models.Link]:
        """The share links of a client's one device."""
        return self._pages(client_path(ref, "share-links"), query)

    def add_link(self, ref: str, **fields: Unpack[_Link]) -> models.LinkMade:
        """A page for the customer. Its address is shown once: a repeated answer is without it."""
        made: models.LinkMade = self._post(client_path(ref, "share-links"), fields)
        return made

    def usage(self, ref: str) -> models.ClientUsage:
        """What was used in the period, and what is left."""
        found: models.ClientUsage = self._get(client_path(ref, "usage"))
        return found

    def usage_series(self, ref: str, **span: Unpack[Span]) -> models.Series:
        """What was used, hour by hour or day by day."""
        found: models.Series = self._get(client_path(ref, "usage", "series"), span_query(span))
        return found

    def sessions(
        self, ref: str, **query: Unpack[models.ClientsSessionsQuery]
    ) -> Iterator[models.Session]:
        """When its devices were connected, the newest first."""
        return self._pages(client_path(ref, "sessions"), query)

    def bulk(
        self, act: models.BulkAct, **options: Unpack[Options]
    ) -> models.BulkWithResults | models.Bulk:
        """Up to 1,000 at once. Up to 100 are answered with results, more with a run to follow."""
        done: models.BulkWithResults | models.Bulk
        done = self._post("/clients/bulk", {**act, **options})
        return done


class Devices(Group):
    """/peers"""

    def list(self, **query: Unpack[models.PeersQuery]) -> Iterator[models.Peer]:
        return self._pages("/peers", query)

    def get(self, peer_id: str) -> models.Peer:
        found: models.Peer = self._get(one("peers", peer_id))
        return found

    def update(self, peer_id: str, **fields: Unpack[_DevicePatch]) -> models.PeerWithJob:
        changed: models.PeerWithJob = self._patch(one("peers", peer_id), fields)
        return changed

    def delete(self, peer_id: str, **options: Unpack[Options]) -> models.JobOnly | None:
        gone: models.JobOnly | None = self._delete(one("peers", peer_id), **options)
        return gone

    def rotate_keys(self, peer_id: str, **fields: Unpack[_RotateKeys]) -> models.PeerWithJob:
        done: models.PeerWithJob = self._post(one("peers", peer_id, "rotate-keys"), fields)
        return done

    def move(self, peer_id: str, **fields: Unpack[_Move]) -> models.PeerWithJob:
        done: models.PeerWithJob = self._post(one("peers", peer_id, "move"), fields)
        return done

    def config(self, peer_id: str) -> str:
        """The device's file. It holds a secret: never log or keep it."""
        return self._raw(one("peers", peer_id, "config"), "text/plain").data.decode()

    def qr_svg(self, peer_id: str) -> bytes:
        return self._raw(one("peers", peer_id, "config"), "image/svg+xml").data

    def links(
        self, peer_id: str, **query: Unpack[models.PeersShareLinksQuery]
    ) -> Iterator[models.Link]:
        return self._pages(one("peers", peer_id, "share-links"), query)

    def add_link(self, peer_id: str, **fields: Unpack[_Link]) -> models.LinkMade:
        """A page for the customer. Its address is shown once: a repeated answer is without it."""
        made: models.LinkMade = self._post(one("peers", peer_id, "share-links"), fields)
        return made

    def usage(self, peer_id: str) -> models.DeviceUsage:
        """All that the device used since it was added."""
        found: models.DeviceUsage = self._get(one("peers", peer_id, "usage"))
        return found

    def usage_series(self, peer_id: str, **span: Unpack[Span]) -> models.Series:
        """What it used, hour by hour or day by day."""
        found: models.Series = self._get(one("peers", peer_id, "usage", "series"), span_query(span))
        return found

    def sessions(
        self, peer_id: str, **query: Unpack[models.PeersSessionsQuery]
    ) -> Iterator[models.Session]:
        return self._pages(one("peers", peer_id, "sessions"), query)


class ShareLinks(Group):
    """/share-links"""

    def get(self, link_id: str) -> models.Link:
        found: models.Link = self._get(one("share-links", link_id))
        return found

    def revoke(self, link_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("share-links", link_id), **options)


class BulkRuns(Group):
    """/bulk"""

    def list(self, **query: Unpack[models.BulkQuery]) -> Iterator[models.Bulk]:
        return self._pages("/bulk", query)

    def get(self, run_id: str) -> models.Bulk:
        found: models.Bulk = self._get(one("bulk", run_id))
        return found

    def items(
        self, run_id: str, **query: Unpack[models.BulkItemsQuery]
    ) -> Iterator[models.BulkResult]:
        return self._pages(one("bulk", run_id, "items"), query)
