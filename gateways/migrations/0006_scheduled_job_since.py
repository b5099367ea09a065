"""Jobs of the schedule are expected from now on: one that never runs is late."""

from datetime import timedelta

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def expect(apps, schema_editor):
    job = apps.get_model("gateways", "ScheduledJob")
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        interval = entry["schedule"]
        seconds = interval.total_seconds() if isinstance(interval, timedelta) else interval
        job.objects.get_or_create(name=name, defaults={"interval_seconds": seconds})


class Migration(migrations.Migration):
    dependencies = [("gateways", "0005_ledger")]

    operations = [
        migrations.AddField(
            model_name="scheduledjob",
            name="since",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.RunPython(expect, migrations.RunPython.noop),
    ]
