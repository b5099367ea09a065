from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = pgettext_lazy("admin", "People and tenants")
