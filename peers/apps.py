from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PeersConfig(AppConfig):
    name = "peers"
    verbose_name = pgettext_lazy("admin", "Clients and devices")
