"""Handing a client over to another reseller: an operator's act, that says who loses what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now as clock
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from peers.models import ShareLink
from peers.queries import ClientView, find_client, view_client
from peers.services.transfer import transfer_client
from portal.client import dialogs
from portal.client.forms import ActForm
from portal.client.transfer_words import transfer_words
from portal.doors import acting_for, operators_only
from portal.offers import plan_choices, plans_of
from portal.tenants.queries import find, receivers
from rest.errors import Missing
from tenants.models import Tenant


class ReceiverForm(ActForm):
    """To whom."""

    tenant = forms.ChoiceField(label=_("Reseller"))

    def offer(self, tenants: list[Tenant]) -> None:
        """Let these be chosen from."""
        field: Any = self.fields["tenant"]
        field.choices = [(one.slug, one.name) for one in tenants]


class TransferForm(ActForm):
    """Under which of the receiver's plans."""

    tenant = forms.CharField(widget=forms.HiddenInput)
    plan = forms.ChoiceField(required=False, label=_("Plan"))

    def arrange(self) -> None:
        field: Any = self.fields["plan"]
        field.choices = [("", gettext("No plan")), *plan_choices(self.plans)]

    def details(self) -> dict[str, Any]:
        plan = self.cleaned_data["plan"]
        return {"plan": UUID(plan) if plan else None}


@require_http_methods(["GET", "POST"])
@operators_only(write=True)
def transfer(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """GET asks to whom, then says what happens; POST does it."""
    gives = acting_for(request, find(slug))
    view = view_client(find_client(gives, uuid))
    others = receivers(gives.tenant)
    named = (request.POST if request.method == "POST" else request.GET).get("tenant", "")
    if not named:
        return _choose(request, view, others)
    takes = next((one for one in others if one.slug == named), None)
    if takes is None:
        raise Missing("There is no such tenant.")
    plans = plans_of(acting_for(request, takes))
    data = request.POST if request.method == "POST" else None
    form = TransferForm(data, view=view, plans=plans)
    form.fields["tenant"].initial = takes.slug
    links = ShareLink.objects.filter(peer__client=view.client, revoked_at__isnull=True).count()
    words = transfer_words(view, gives=gives.tenant, takes=takes, links=links)

    def carry_out() -> str:
        transfer_client(
            caller=gives,
            client_id=uuid,
            tenant=takes,
            at=clock(),
            if_match=dialogs.seen_version(request),
            **form.details(),
        )
        return dialogs.home_of(takes, uuid)

    context = {"words": words, "home": dialogs.home_of(gives.tenant, uuid), "is_alone": True}
    return dialogs.answer(
        request, gives, form, "client/transfer.html", context, carry_out, done=words.done
    )


def _choose(request: HttpRequest, view: ClientView, others: list[Tenant]) -> HttpResponse:
    form = ReceiverForm(view=view)
    form.offer(others)
    tenant = view.client.tenant
    context = {
        "home": dialogs.home_of(tenant, view.client.uuid),
        "others": others,
        "action": reverse("client-transfer", args=[tenant.slug, view.client.uuid]),
    }
    return dialogs.show(request, "client/transfer_to.html", view, form, context)
