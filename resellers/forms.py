"""Forms of the admin site: what the services judge, with their refusals at the fields."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django import forms
from django.db import transaction
from django.forms.models import BaseInlineFormSet
from django.utils import timezone

from quotas.models import Plan
from resellers.plan_values import CHECKS
from resellers.services.plans import create_plan, update_plan
from resellers.services.tenants import create_tenant, update_tenant
from resellers.values import TENANT_CHECKS
from rest.errors import Refusal
from rest.forms import AbstractForm
from tenants.models import Membership, Tenant
from tenants.scoping import Caller


class ServedForm(AbstractForm):
    """A form whose service says, by a dry run, what it thinks of the values."""

    #: Set by the admin class: who acts.
    caller: Caller

    @abstractmethod
    def serve(self) -> Any:
        """Have the service do it; the row."""

    def changes(self) -> dict[str, Any]:
        """What was changed, or of a new row what was given."""
        names = self.changed_data if self.instance.pk else list(self.cleaned_data)
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                with transaction.atomic():
                    self.serve()
                    transaction.set_rollback(True)
            except Refusal as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)
        return self.cleaned_data

    def _post_clean(self) -> None:
        """The service's checks stand for the model's."""


class TenantForm(ServedForm):
    """A tenant. The lists count where their box says so."""

    class Meta:
        model = Tenant
        fields = [
            "slug", *TENANT_CHECKS, "limits_interfaces", "interfaces", "limits_pools", "pools",
        ]  # fmt: skip

    def serve(self) -> Tenant:
        changes = self.changes()
        for name, box in (("interfaces", "limits_interfaces"), ("pools", "limits_pools")):
            if name in changes or box in changes:
                counts = self.cleaned_data[box]
                changes[name] = [row.uuid for row in self.cleaned_data[name]] if counts else None
            changes.pop(box, None)
        if not self.instance.pk:
            return create_tenant(actor=self.caller.actor, **changes)
        return update_tenant(
            actor=self.caller.actor,
            tenant_id=self.instance.uuid,
            changes=changes,
            at=timezone.now(),
        )


class PlanForm(ServedForm):
    """A plan of the tenant that is named when it is made."""

    class Meta:
        model = Plan
        fields = ["tenant", *CHECKS]

    def serve(self) -> Plan:
        changes = self.changes()
        tenant = changes.pop("tenant", None) or self.instance.tenant
        caller = Caller(tenant, self.caller.operator, self.caller.scopes, self.caller.actor)
        if not self.instance.pk:
            return create_plan(caller=caller, at=timezone.now(), **changes)
        return update_plan(
            caller=caller, plan_id=self.instance.uuid, changes=changes, at=timezone.now()
        )


class MembershipFormSet(BaseInlineFormSet[Membership, Tenant, forms.ModelForm[Membership]]):
    """A tenant's members, of whom one stays owner."""

    def clean(self) -> None:
        super().clean()
        if not self.instance.pk:
            return
        before = self.instance.memberships.filter(role="owner", user__is_active=True).exists()
        left = [form for form in self.initial_forms if form not in self.deleted_forms]
        owners = [form for form in left if form.cleaned_data.get("role") == "owner"]
        if before and not any(form.instance.user.is_active for form in owners):
            raise forms.ValidationError("A tenant keeps at least one active owner.")
