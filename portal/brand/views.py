"""The tenant's own settings, with a preview of the page that its customers open."""

from __future__ import annotations

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.brand.forms import TenantForm, values_of
from portal.doors import for_tenant
from portal.share.looks import brand_of
from resellers.queries import tenant_in_full
from resellers.services.branding import MAX_LOGO, remove_logo, set_logo
from resellers.services.tenants import update_tenant
from resellers.values import check_color
from rest.errors import Invalid, Refusal
from rest.versions import Version
from tenants.models import Tenant
from tenants.permissions import may
from tenants.scoping import Caller


@require_http_methods(["GET", "POST"])
@csp_update({"frame-src": [SELF]})
@for_tenant("tenants:read")
def edit(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Look, contact, place, warnings. Who may only look sees them and no button."""
    tenant = tenant_in_full(caller.tenant)
    form = TenantForm(request.POST or None, initial=values_of(tenant))
    writes, status = may(caller, "tenants:write"), 200
    if request.method == "POST":
        status = 400 if writes else 403
        if not writes:
            form.add_error(None, _("Only an owner changes this."))
        elif form.is_valid():
            try:
                update_tenant(
                    actor=caller.actor,
                    tenant_id=tenant.uuid,
                    changes=form.cleaned_data,
                    at=clock(),
                    if_match=_read(request, tenant),
                )
            except Refusal as refusal:
                status = form.refuse(refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("tenant-settings", tenant.slug)
    context = {
        "form": form,
        "tenant": tenant,
        "version": request.POST.get("version") or tenant.version,
        "writes": writes,
    }
    return render(request, "brand/edit.html", context, status=status)


@require_POST
@for_tenant("tenants:write")
def logo(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Store the picture that was sent, or take away what there is."""
    sent = request.FILES.get("logo")
    actor, tenant_id, at = caller.actor, caller.tenant.uuid, clock()
    try:
        if "remove" in request.POST:
            remove_logo(actor=actor, tenant_id=tenant_id, at=at)
        elif sent is None:
            messages.error(request, _("Choose a picture first."))
        else:
            picture = sent.read(MAX_LOGO + 1)
            set_logo(actor=actor, tenant_id=tenant_id, picture=picture, at=at)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("tenant-settings", caller.tenant.slug)


@require_GET
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})
@for_tenant("tenants:read")
def preview(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The head of the customers' page as it would be with these values; they are not stored."""
    tenant = tenant_in_full(caller.tenant)
    for name in ("brand_color", "brand_color_dark"):
        try:
            setattr(tenant, name, check_color(request.GET.get(name, getattr(tenant, name)), name))
        except Invalid:
            continue  # half typed: what is stored stays
    tenant.brand_name = request.GET.get("brand_name", tenant.brand_name)[:60]
    context = {"brand": brand_of(tenant), "home": reverse("tenant-home", args=[tenant.slug])}
    return render(request, "brand/preview.html", context)


def _read(request: HttpRequest, tenant: Tenant) -> Version | None:
    """The version that the form was made from."""
    text = request.POST.get("version", "")
    return Version.of(tenant.uuid, int(text)) if text.isdecimal() and len(text) < 19 else None
