"""The operator's: gateways, interfaces, pools, settings, schedule, tenants.

Sellers may list interfaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from vwg_client import models
from vwg_client.groups import Group, Options, Span, Stretch, one, span_query


class _Gateway(models.GatewayCreate, Options, total=False):
    pass


class _GatewayPatch(models.GatewayPatch, Options, total=False):
    pass


class _Interface(models.InterfaceCreate, Options, total=False):
    pass


class _InterfacePatch(models.InterfacePatch, Options, total=False):
    pass


class _Pool(models.PoolCreate, Options, total=False):
    pass


class _PoolPatch(models.PoolPatch, Options, total=False):
    pass


class _WakeHost(models.WakeHostCreate, Options, total=False):
    pass


class _WakeHostPatch(models.WakeHostPatch, Options, total=False):
    pass


class _SettingsPatch(models.SettingsPatch, Options, total=False):
    pass


class _Tenant(models.TenantCreate, Options, total=False):
    pass


class _TenantPatch(models.TenantPatch, Options, total=False):
    pass


class _Why(models.Why, Options, total=False):
    pass


class _Sure(models.Sure, Options, total=False):
    pass


class ScheduledJobs(Group):
    """/scheduled-jobs"""

    def list(self, **query: Unpack[models.ScheduledJobsQuery]) -> Iterator[models.ScheduledJob]:
        return self._pages("/scheduled-jobs", query)


class Gateways(Group):
    """/gateways"""

    def list(self, **query: Unpack[models.GatewaysQuery]) -> Iterator[models.Gateway]:
        return self._pages("/gateways", query)

    def create(self, **fields: Unpack[_Gateway]) -> models.Gateway:
        made: models.Gateway = self._post("/gateways", fields)
        return made

    def get(self, gateway_id: str) -> models.Gateway:
        found: models.Gateway = self._get(one("gateways", gateway_id))
        return found

    def update(
        self, gateway_id: str, *, dry_run: bool = False, **fields: Unpack[_GatewayPatch]
    ) -> models.GatewayEdited:
        """``preview`` says what it does; with ``dry_run`` that is all that happens."""
        path = one("gateways", gateway_id)
        changed: models.GatewayEdited = self._patch(path, fields, dry_run=dry_run or None)
        return changed

    def delete(self, gateway_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("gateways", gateway_id), **options)


class WakeHosts(Group):
    """/wake-hosts: machines beside gateways"""

    def list(self, **query: Unpack[models.WakeHostsQuery]) -> Iterator[models.WakeHost]:
        return self._pages("/wake-hosts", query)

    def create(self, **fields: Unpack[_WakeHost]) -> models.WakeHost:
        made: models.WakeHost = self._post("/wake-hosts", fields)
        return made

    def get(self, host_id: str) -> models.WakeHost:
        found: models.WakeHost = self._get(one("wake-hosts", host_id))
        return found

    def update(self, host_id: str, **fields: Unpack[_WakeHostPatch]) -> models.WakeHost:
        changed: models.WakeHost = self._patch(one("wake-hosts", host_id), fields)
        return changed

    def delete(self, host_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("wake-hosts", host_id), **options)

    def wake(self, host_id: str, **options: Unpack[Options]) -> models.JobOnly:
        """Its job says whether the packet went out."""
        done: models.JobOnly = self._post(one("wake-hosts", host_id, "wake"), options)
        return done


class Interfaces(Group):
    """/interfaces and /locations"""

    def locations(self, **query: Unpack[models.LocationsQuery]) -> Iterator[models.Location]:
        """Where the tenant may sell."""
        return self._pages("/locations", query)

    def list(self, **query: Unpack[models.InterfacesQuery]) -> Iterator[models.Interface]:
        return self._pages("/interfaces", query)

    def create(self, **fields: Unpack[_Interface]) -> models.InterfaceWithJob:
        made: models.InterfaceWithJob = self._post("/interfaces", fields)
        return made

    def get(self, interface_id: str) -> models.Interface:
        found: models.Interface = self._get(one("interfaces", interface_id))
        return found

    def update(
        self, interface_id: str, *, dry_run: bool = False, **fields: Unpack[_InterfacePatch]
    ) -> models.InterfaceEdited:
        """``preview`` says what it does; with ``dry_run`` that is all that happens."""
        path = one("interfaces", interface_id)
        changed: models.InterfaceEdited = self._patch(path, fields, dry_run=dry_run or None)
        return changed

    def delete(self, interface_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("interfaces", interface_id), **options)

    def rotate_key(
        self, interface_id: str, *, dry_run: bool = False, **options: Unpack[Options]
    ) -> models.InterfaceEdited:
        """Ends every session and outdates every file: look at the dry run first."""
        path = one("interfaces", interface_id, "rotate-key")
        done: models.InterfaceEdited = self._post(path, options, dry_run=dry_run or None)
        return done


class Pools(Group):
    """/pools"""

    def list(self, **query: Unpack[models.PoolsQuery]) -> Iterator[models.Pool]:
        return self._pages("/pools", query)

    def create(self, **fields: Unpack[_Pool]) -> models.PoolWithJob:
        made: models.PoolWithJob = self._post("/pools", fields)
        return made

    def get(self, pool_id: str) -> models.Pool:
        found: models.Pool = self._get(one("pools", pool_id))
        return found

    def update(self, pool_id: str, **fields: Unpack[_PoolPatch]) -> models.Pool:
        changed: models.Pool = self._patch(one("pools", pool_id), fields)
        return changed

    def delete(self, pool_id: str, **options: Unpack[Options]) -> None:
        self._delete(one("pools", pool_id), **options)


class Settings(Group):
    """/settings"""

    def get(self) -> models.Settings:
        found: models.Settings = self._get("/settings")
        return found

    def update(
        self, *, dry_run: bool = False, **fields: Unpack[_SettingsPatch]
    ) -> models.SettingsEdited:
        """``preview`` says what it does; with ``dry_run`` that is all that happens."""
        changed: models.SettingsEdited = self._patch("/settings", fields, dry_run=dry_run or None)
        return changed


class Tenants(Group):
    """/tenants"""

    def list(self, **query: Unpack[models.TenantsQuery]) -> Iterator[models.OwnTenant]:
        return self._pages("/tenants", query)

    def create(self, **fields: Unpack[_Tenant]) -> models.OwnTenant:
        made: models.OwnTenant = self._post("/tenants", fields)
        return made

    def get(self, tenant_id: str) -> models.OwnTenant:
        found: models.OwnTenant = self._get(one("tenants", tenant_id))
        return found

    def update(self, tenant_id: str, **fields: Unpack[_TenantPatch]) -> models.OwnTenant:
        changed: models.OwnTenant = self._patch(one("tenants", tenant_id), fields)
        return changed

    def suspend(self, tenant_id: str, **fields: Unpack[_Why]) -> models.Standing:
        """Block every client of the tenant, as one act."""
        return self._stand(tenant_id, "suspend", fields)

    def resume(self, tenant_id: str, **fields: Unpack[_Why]) -> models.Standing:
        """Bring back exactly those that are entitled."""
        return self._stand(tenant_id, "resume", fields)

    def close(self, tenant_id: str, **fields: Unpack[_Why]) -> models.Standing:
        return self._stand(tenant_id, "close", fields)

    def erase(self, tenant_id: str, **fields: Unpack[_Sure]) -> models.Standing:
        """Forget a closed tenant's customers for good."""
        return self._stand(tenant_id, "erase", fields)

    def _stand(self, tenant_id: str, act: str, fields: object) -> models.Standing:
        done: models.Standing = self._post(one("tenants", tenant_id, act), fields)  # type: ignore[arg-type]
        return done

    def export(self, tenant_id: str) -> str:
        """Everything vwg keeps for a tenant, as lines of JSON."""
        path = one("tenants", tenant_id, "export")
        return self._transport.call("POST", path, {}, accept="*/*").data.decode()

    def usage(self, **query: Unpack[models.TenantsUsageQuery]) -> Iterator[models.TenantUsage]:
        """What every tenant used in its period, and how its pool stands."""
        return self._pages("/tenants/usage", query)

    def usage_series(self, *, interface: str | None = None, **span: Unpack[Span]) -> models.Series:
        """What all of them used, hour by hour or day by day."""
        query = span_query(span) | ({"interface": interface} if interface else {})
        found: models.Series = self._get("/tenants/usage/series", query)
        return found

    def statement(self, **stretch: Unpack[Stretch]) -> models.TenantsStatement:
        """What each tenant used in a month."""
        found: models.TenantsStatement = self._get("/tenants/statements", span_query(stretch))
        return found
