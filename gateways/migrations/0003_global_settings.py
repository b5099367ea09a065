from django.db import migrations


def create(apps, schema_editor):
    apps.get_model("gateways", "GlobalSetting").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("gateways", "0002_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
