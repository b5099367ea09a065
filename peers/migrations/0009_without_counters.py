from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('peers', '0008_counters_to_meters'),
    ]

    operations = [
        migrations.RemoveField(model_name='peer', name='carried_rx_bytes'),
        migrations.RemoveField(model_name='peer', name='carried_tx_bytes'),
        migrations.RemoveField(model_name='peer', name='rx_bytes'),
        migrations.RemoveField(model_name='peer', name='tx_bytes'),
    ]
