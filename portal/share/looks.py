"""A tenant's looks, as its customers' page wears them."""

from __future__ import annotations

import base64

from django.urls import reverse

from tenants.models import Tenant


def brand_of(tenant: Tenant) -> dict[str, str]:
    """``name`` and ``support``; ``logo`` (a data URL) and ``colors`` (a style sheet's address)
    where there are any.
    """
    brand = {"name": tenant.brand_name or tenant.name, "support": tenant.support_url}
    if tenant.brand_logo and tenant.brand_logo_type:
        logo = base64.b64encode(bytes(tenant.brand_logo)).decode()
        brand["logo"] = f"data:{tenant.brand_logo_type};base64,{logo}"
    light = tenant.brand_color or tenant.brand_color_dark
    if light:
        pair = (light, tenant.brand_color_dark or light)
        brand["colors"] = reverse("share-colors", args=[one.lstrip("#").lower() for one in pair])
    return brand
