"""What is written stays, and a reader of the feed misses nothing (docs/adr, "The feed of events").

PostgreSQL: whoever writes an event first takes a shared lock that names the last number given out
before; it holds till the end of his transaction. A reader reads up to the smallest number so named
(`audit_horizon`): what is still to be committed lies beyond it. SQLite has one writer at a time.
"""

from django.db import migrations, models

SQLITE = [
    """
    CREATE TRIGGER audit_event_never_changes BEFORE UPDATE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END
    """,
    """
    CREATE TRIGGER audit_event_stays BEFORE DELETE ON audit_auditevent
    WHEN NOT EXISTS (SELECT 1 FROM audit_erasure e WHERE e.tenant_id = OLD.tenant_id)
    BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END
    """,
]

# 22087: half of the lock's key, so that no other advisory lock is mistaken for one of these.
POSTGRESQL = [
    """
    CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM public.audit_erasure e WHERE e.tenant_id = OLD.tenant_id
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit events are append-only'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    "ALTER TABLE audit_auditevent ALTER COLUMN id DROP IDENTITY",
    "CREATE SEQUENCE audit_auditevent_id_seq OWNED BY audit_auditevent.id",
    """
    SELECT setval('audit_auditevent_id_seq', COALESCE(max(id), 0) + 1, false)
    FROM audit_auditevent
    """,
    """
    CREATE FUNCTION audit_last_number() RETURNS bigint LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END
        FROM public.audit_auditevent_id_seq
    $$
    """,
    """
    CREATE FUNCTION audit_next_number() RETURNS bigint LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF current_setting('vwg.audit_locked', true) IS DISTINCT FROM 'yes' THEN
            PERFORM pg_advisory_xact_lock_shared(
                (22087::bigint << 48) | public.audit_last_number());
            PERFORM set_config('vwg.audit_locked', 'yes', true);
        END IF;
        RETURN nextval('public.audit_auditevent_id_seq');
    END $$
    """,
    """
    CREATE FUNCTION audit_horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        last bigint := public.audit_last_number();
        held bigint;
    BEGIN
        SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO held FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 22087
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND pid <> pg_backend_pid();
        RETURN LEAST(last, held);
    END $$
    """,
    "ALTER TABLE audit_auditevent ALTER COLUMN id SET DEFAULT audit_next_number()",
]


def put(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for sql in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[vendor]:
        schema_editor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_resellers")]
    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("tenant_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("tenant_name", models.CharField(max_length=150)),
                ("allowed_by", models.CharField(max_length=150)),
                ("allowed_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(put),
    ]
