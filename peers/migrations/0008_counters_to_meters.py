"""What devices counted so far goes into meters, with a segment that says when is not known."""

from django.db import migrations
from django.db.models import F, Q
from django.utils import timezone

BATCH = 1000
#: `quotas.metering.Flag.CARRIED`
CARRIED = 128


def to_meters(apps, schema_editor):
    Peer = apps.get_model("peers", "Peer")
    Segment = apps.get_model("quotas", "LedgerSegment")
    at = timezone.now()
    quarter = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    counted = Peer.objects.filter(
        Q(rx_bytes__gt=0) | Q(tx_bytes__gt=0) | Q(carried_rx_bytes__gt=0) | Q(carried_tx_bytes__gt=0)
    ).select_related("client", "interface")
    runs, clients, tenants = {}, {}, {}
    last = 0
    while peers := list(counted.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = peers[-1].pk
        made = [_meter(apps, peer, runs, at) for peer in peers]
        apps.get_model("quotas", "Meter").objects.bulk_create(made)
        segments = []
        for peer, meter in zip(peers, made):
            spans = [(0, peer.carried_rx_bytes, peer.carried_tx_bytes)]
            spans.append((1, peer.rx_bytes, peer.tx_bytes))
            segments += [
                Segment(
                    meter=meter, tenant_id=peer.tenant_id, interface_id=peer.interface_id,
                    incarnation=incarnation, quarter=quarter, from_rx=0, to_rx=rx, from_tx=0,
                    to_tx=tx, billed_up=rx, billed_down=tx, flags=CARRIED, sampled_at=at,
                )
                for incarnation, rx, tx in spans
                if rx or tx
            ]
            for sums, key in ((clients, (peer.client_id, peer.tenant_id)), (tenants, peer.tenant_id)):
                up, down = sums.get(key, (0, 0))
                sums[key] = up + meter.raw_up, down + meter.raw_down
        Segment.objects.bulk_create(segments)
    _add(apps.get_model("quotas", "Usage"), {
        client: ({"client_id": client, "tenant_id": tenant}, sums)
        for (client, tenant), sums in clients.items()
    })
    _add(apps.get_model("quotas", "TenantUsage"), {
        tenant: ({"tenant_id": tenant}, sums) for tenant, sums in tenants.items()
    })


def _meter(apps, peer, runs, at):
    """Open where the counters stand, when the peer is on its interface."""
    up, down = peer.carried_rx_bytes + peer.rx_bytes, peer.carried_tx_bytes + peer.tx_bytes
    on = bool(peer.applied_key and peer.interface.boot_id)
    return apps.get_model("quotas", "Meter")(
        peer=peer, peer_uuid=peer.uuid, client=peer.client, tenant_id=peer.tenant_id,
        interface_id=peer.interface_id, client_uuid=peer.client.uuid,
        client_name=peer.client.name, external_id=peer.client.external_id,
        run=_run(apps, peer.interface, runs, at) if on else None, incarnation=1,
        rx=peer.rx_bytes if on else 0, tx=peer.tx_bytes if on else 0,
        seq=peer.interface.observed_seq, sampled_at=at,
        billing=not (on and not peer.applied_allowed_ips),
        raw_up=up, raw_down=down, billed_up=up, billed_down=down,
    )


def _run(apps, interface, runs, at):
    if interface.pk not in runs:
        runs[interface.pk], _ = apps.get_model("quotas", "CounterRun").objects.get_or_create(
            interface=interface, boot_id=interface.boot_id, stamp=interface.stamp,
            defaults={"began_at": at},
        )
    return runs[interface.pk]


def _add(model, sums):
    there = {row.pk for row in model.objects.only("pk")}
    model.objects.bulk_create(
        (model(**names) for key, (names, _) in sums.items() if key not in there), batch_size=BATCH
    )
    for key, (_, (up, down)) in sums.items():
        model.objects.filter(pk=key).update(
            raw_up=F("raw_up") + up, raw_down=F("raw_down") + down,
            billed_up=F("billed_up") + up, billed_down=F("billed_down") + down,
        )


def from_meters(apps, schema_editor):
    """Back: the sums, as what was carried. The ledger itself goes with its tables."""
    Peer = apps.get_model("peers", "Peer")
    for meter in apps.get_model("quotas", "Meter").objects.filter(peer__isnull=False).iterator():
        Peer.objects.filter(pk=meter.peer_id).update(
            rx_bytes=meter.rx, tx_bytes=meter.tx,
            carried_rx_bytes=max(0, meter.raw_up - meter.rx),
            carried_tx_bytes=max(0, meter.raw_down - meter.tx),
        )
    apps.get_model("quotas", "Meter").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('peers', '0007_ledger'),
        ('quotas', '0004_ledger'),
        ('gateways', '0005_ledger'),
    ]

    operations = [
        migrations.RunPython(to_meters, from_meters),
    ]
