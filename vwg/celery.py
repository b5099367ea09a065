"""The Celery application. Tasks carry ids only; rows are the truth and messages are hints."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")

app = Celery("vwg", amqp="vwg.broker:SteadyAMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["control"])
