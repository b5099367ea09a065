from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from vwg import checks, names

__all__ = ["VwgAdminConfig", "VwgConfig", "checks"]  # importing `checks` registers them


class VwgConfig(AppConfig):
    name = "vwg"


class VwgAdminConfig(AdminConfig):
    default_site = "vwg.admin.VwgAdminSite"

    def ready(self) -> None:
        names.give_names()
        super().ready()
