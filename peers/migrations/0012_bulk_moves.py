from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('peers', '0011_undated_purges'),
    ]

    operations = [
        migrations.AlterField(
            model_name='bulkrun',
            name='action',
            field=models.CharField(choices=[('create', 'Create'), ('update', 'Update'), ('enable', 'Enable'), ('disable', 'Disable'), ('delete', 'Delete'), ('extend', 'Extend'), ('top-up', 'Top Up'), ('reset', 'Reset'), ('move', 'Move')], max_length=8),
        ),
    ]
