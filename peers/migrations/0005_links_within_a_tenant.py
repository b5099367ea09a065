"""What hangs together belongs to one tenant: foreign keys over both columns, on PostgreSQL.

Deferred to the commit, since a client that moves to another tenant takes its rows along one table
after the other.
"""

from django.db import migrations

#: Table, its column, and the table it points to.
LINKS = [
    ("peers_client", "plan_id", "quotas_plan"),
    ("peers_peer", "client_id", "peers_client"),
    ("quotas_hold", "client_id", "peers_client"),
    ("peers_peeraddress", "peer_id", "peers_peer"),
    ("peers_peernetwork", "peer_id", "peers_peer"),
    ("peers_sharelink", "peer_id", "peers_peer"),
]


def add(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for target in sorted({target for _, _, target in LINKS}):
        schema_editor.execute(
            f"CREATE UNIQUE INDEX {target}_of_tenant ON {target} (tenant_id, id)"
        )
    for table, column, target in LINKS:
        schema_editor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_same_tenant"
            f" FOREIGN KEY (tenant_id, {column}) REFERENCES {target} (tenant_id, id)"
            " DEFERRABLE INITIALLY DEFERRED"
        )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column, _ in LINKS:
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_same_tenant")
    for target in sorted({target for _, _, target in LINKS}):
        schema_editor.execute(f"DROP INDEX {target}_of_tenant")


class Migration(migrations.Migration):

    dependencies = [
        ('peers', '0004_links'),
        ('quotas', '0003_resellers'),
    ]

    operations = [migrations.RunPython(add, remove)]
