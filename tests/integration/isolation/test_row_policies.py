"""Which tables are under row-level security: found from the models."""

from tenants import row_policies


def test_every_model_is_a_tenants_or_is_listed_as_nobodys() -> None:
    assert row_policies.unplaced() == set()
    assert not row_policies.walls().keys() & row_policies.OPEN.keys()


def test_the_tables_under_policy() -> None:
    """By name, so that one that slips out is seen here."""
    assert row_policies.walls().keys() >= {
        "audit_auditevent",
        "django_admin_log",
        "gateways_job",
        "gateways_jobitem",
        "peers_bulkitem",
        "peers_bulkrun",
        "peers_bulkrun_jobs",
        "peers_client",
        "peers_peer",
        "peers_peeraddress",
        "peers_peerkey",
        "peers_peernetwork",
        "peers_sharelink",
        "quotas_hold",
        "quotas_plan",
        "rest_idempotentrequest",
        "tenants_apitoken",
        "tenants_membership",
        "tenants_tenant",
        "tenants_tenant_interfaces",
        "tenants_tenant_pools",
    }
