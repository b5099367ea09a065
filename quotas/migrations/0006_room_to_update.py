"""PostgreSQL keeps half of each page free where rows are written with every tick.

The rows that move together come to lie together. A page of them has room for each one's next
version then, and no index is written with it (PostgreSQL's manual, 66.7: Heap-Only Tuples).
Rows that are there already move as they are written.
"""

from typing import Any

from django.db import migrations

TABLES = ("quotas_meter", "quotas_usage", "quotas_tenantusage", "quotas_ledgersegment")


def make_room(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


def take_room(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("quotas", "0005_sold_bytes")]

    operations = [migrations.RunPython(make_room, take_room, elidable=False)]
