"""The admin site, behind the same door as the portal."""

from django.contrib.admin import AdminSite


class VwgAdminSite(AdminSite):
    site_header = site_title = "vwg"
