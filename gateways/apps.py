from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class GatewaysConfig(AppConfig):
    name = "gateways"
    verbose_name = pgettext_lazy("admin", "Gateways")
