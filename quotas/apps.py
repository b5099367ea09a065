from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class QuotasConfig(AppConfig):
    name = "quotas"
    verbose_name = pgettext_lazy("admin", "Plans and holds")
