from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from vwg import checks

__all__ = ["VwgAdminConfig", "VwgConfig", "checks"]  # importing `checks` registers them


class VwgConfig(AppConfig):
    name = "vwg"


class VwgAdminConfig(AdminConfig):
    default_site = "vwg.admin.VwgAdminSite"
