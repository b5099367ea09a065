from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class VwgConfig(AppConfig):
    name = "vwg"


class VwgAdminConfig(AdminConfig):
    default_site = "vwg.admin.VwgAdminSite"
