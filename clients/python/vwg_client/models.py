"""The bodies of vwg's API, made by make_models.py. Do not edit."""

# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

ActionEnum = Literal['create', 'update', 'enable', 'disable', 'delete', 'extend', 'top-up', 'reset', 'move']

AtLimitEnum = Literal['disconnect', 'throttle']

BackendEnum = Literal['auto', 'kernel', 'userspace']

BulkResultOutcomeEnum = Literal['done', 'failed', 'skipped']

ChangePlanWhenEnum = Literal['now', 'period', 'end']

ClientState = Literal['active', 'pending', 'failed', 'disabled', 'suspended', 'expired', 'over-quota', 'scheduled', 'kicked', 'deleted']

CutOffStateEnum = Literal['unknown', 'ready', 'armed', 'off']

DeviceStatus = Literal['pending', 'applied', 'verified', 'failed', 'quarantined']

EventActorKindEnum = Literal['user', 'token', 'system']

FoundingStatusStatusEnum = Literal['active', 'inactive', 'foreign', 'unreachable', 'unknown']

HealthEnum = Literal['alive', 'silent', 'unknown']

HoldReasonEnum = Literal['manual', 'quota', 'expired', 'tenant-suspended', 'tenant-pool', 'plan', 'suspended', 'kick']

JobItemOutcome = Literal['open', 'done', 'failed']

JobKind = Literal['create', 'update', 'delete', 'enable', 'disable', 'apply', 'heal', 'link', 'suspend', 'resume', 'kick', 'rotate', 'move', 'transfer', 'restore', 'bulk', 'wake']

JobStatus = Literal['pending', 'running', 'succeeded', 'failed']

KeyModeEnum = Literal['portal', 'customer']

LanguageEnum = Literal['en', 'fa']

MeKindEnum = Literal['session', 'token']

MemberRole = Literal['owner', 'manager', 'viewer']

NextPlanWhenEnum = Literal['period', 'end']

OffReasonEnum = Literal['manual', 'quota', 'expired', 'tenant-suspended', 'tenant-pool', 'plan', 'suspended', 'kick', 'deleted', 'interface-down']

OperatorEnum = Literal['read-only', 'full']

PlanReset = Literal['none', 'day', 'week', 'month', 'month-from-start', 'year']

PoolCounts = Literal['used', 'sold']

PoolReset = Literal['none', 'day', 'week', 'month', 'year']

PoolStops = Literal['all', 'new']

RestEnum = Literal['keep', 'drop', 'carry']

RestartPolicyEnum = Literal['auto', 'always', 'never']

ShareLinkState = Literal['active', 'used', 'revoked', 'expired']

SpeedsStateEnum = Literal['idle', 'queues', 'limits', 'off']

StartEnum = Literal['now', 'date', 'first-handshake']

StatementLineKindEnum = Literal['client', 'handed-over']

TenantStatus = Literal['active', 'suspended', 'closed']

UsageSpan = Literal['hour', 'day', 'month']

class AddPeer(TypedDict):
    """The founding call's body. Without ``allowed_ips`` a new peer gets addresses of the pools."""

    public_key: str
    allowed_ips: NotRequired[list[str]]
    preshared_key: NotRequired[str | None]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str | None]
    name: NotRequired[str]
    interface: NotRequired[str | None]


class Bulk(TypedDict):
    """A bulk request and how far it has come; ``id`` is null for a small dry run."""

    id: str | None
    action: ActionEnum
    status: JobStatus
    all_or_nothing: bool
    dry_run: bool
    progress: Progress
    jobs: list[JobRef]
    href: str | None
    items_href: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class BulkChange(TypedDict):
    """Arguments of an update: fields of a client, and changes relative to what they are now."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    quota_bytes: NotRequired[int | None]
    upload_quota_bytes: NotRequired[int | None]
    download_quota_bytes: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    starts_at: NotRequired[str | None]
    start_before: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    duration_days: NotRequired[int | None]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    name: NotRequired[str]
    external_id: NotRequired[str | None]
    email: NotRequired[str]
    telegram_id: NotRequired[str]
    note: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    plan: NotRequired[str | None]
    device_name: NotRequired[str]
    add_tags: NotRequired[list[str]]
    remove_tags: NotRequired[list[str]]
    merge_metadata: NotRequired[dict[str, Any]]


class BulkCreate(TypedDict):
    """New clients, each as `POST /clients` makes it."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: list[ClientCreate]
    arguments: NotRequired[BulkDefaults]
    action: Literal['create']


class BulkDefaults(TypedDict):
    """What holds for every new client whose item does not say otherwise."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    quota_bytes: NotRequired[int | None]
    upload_quota_bytes: NotRequired[int | None]
    download_quota_bytes: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    starts_at: NotRequired[str | None]
    start_before: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    duration_days: NotRequired[int | None]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    name: NotRequired[str]
    external_id: NotRequired[str | None]
    email: NotRequired[str]
    telegram_id: NotRequired[str]
    note: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    plan: NotRequired[str | None]
    device_name: NotRequired[str]
    interface: NotRequired[str | None]
    public_key: NotRequired[str | None]
    key_mode: NotRequired[KeyModeEnum]


class BulkDelete(TypedDict):
    """To delete clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkDeleteItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Nothing]
    action: Literal['delete']


class BulkDeleteItem(TypedDict):
    """A client to delete, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Nothing]


class BulkDevice(TypedDict):
    """A device of a client that a bulk request touched."""

    id: str
    interface: str
    public_key: str
    addresses: list[str]


class BulkDisable(TypedDict):
    """To disable clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkDisableItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Disable]
    action: Literal['disable']


class BulkDisableItem(TypedDict):
    """A client to disable, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Disable]


class BulkEnable(TypedDict):
    """To enable clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkEnableItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Nothing]
    action: Literal['enable']


class BulkEnableItem(TypedDict):
    """A client to enable, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Nothing]


class BulkExtend(TypedDict):
    """To extend clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkExtendItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Extend]
    action: Literal['extend']


class BulkExtendItem(TypedDict):
    """A client to extend, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Extend]


class BulkFailure(TypedDict):
    """What stood against one item."""

    field: str | None
    code: str
    detail: str


class BulkMove(TypedDict):
    """To move clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkMoveItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Move]
    action: Literal['move']


class BulkMoveItem(TypedDict):
    """A client to move, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Move]


class BulkReset(TypedDict):
    """To reset clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkResetItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[Nothing]
    action: Literal['reset']


class BulkResetItem(TypedDict):
    """A client to reset, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[Nothing]


class BulkResult(TypedDict):
    """What became of one item; ``client`` is null where there is none (any more)."""

    index: int
    ref: str
    outcome: BulkResultOutcomeEnum
    client: str | None
    external_id: str | None
    devices: list[BulkDevice]
    error: BulkFailure | None


class BulkTopUp(TypedDict):
    """To top-up clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkTopUpItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[TopUp]
    action: Literal['top-up']


class BulkTopUpItem(TypedDict):
    """A client to top-up, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[TopUp]


class BulkUpdate(TypedDict):
    """To update clients: those of `items`, `ids`, `external_ids` or `filter`, one of the four."""

    all_or_nothing: NotRequired[bool]
    dry_run: NotRequired[bool]
    items: NotRequired[list[BulkUpdateItem]]
    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]
    arguments: NotRequired[BulkChange]
    action: Literal['update']


class BulkUpdateItem(TypedDict):
    """A client to update, by its id or your own; `version` as `If-Match` names it."""

    id: NotRequired[str]
    external_id: NotRequired[str]
    version: NotRequired[int]
    arguments: NotRequired[BulkChange]


class BulkWithResults(TypedDict):
    """A bulk request that was done at once."""

    id: str | None
    action: ActionEnum
    status: JobStatus
    all_or_nothing: bool
    dry_run: bool
    progress: Progress
    jobs: list[JobRef]
    href: str | None
    items_href: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    results: list[BulkResult]


class Bytes(TypedDict):
    """Bytes as the client sees them. Raw is what was counted, billed what counts against limits."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int


class ChangePlan(TypedDict):
    """Another plan, null for none: now, when the period ends, or at the end of what was sold. It brings its limits. Now and at the next period the end stays, unless it is named here; at the end the plan is sold anew, with its own beginning and end. ``rest`` says what becomes of the period: it goes on (``keep``, now alone), or a new one begins, without the bytes that are left (``drop``) or with them (``carry``). Terms of one's own are for a change now. Later, null takes back what was decided."""

    quota_bytes: NotRequired[int | None]
    upload_quota_bytes: NotRequired[int | None]
    download_quota_bytes: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    starts_at: NotRequired[str | None]
    start_before: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    duration_days: NotRequired[int | None]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    plan: str | None
    when: NotRequired[ChangePlanWhenEnum]
    rest: NotRequired[RestEnum]


class Client(TypedDict):
    """A client with its devices."""

    quota_bytes: int | None
    upload_quota_bytes: int | None
    download_quota_bytes: int | None
    reset: PlanReset
    starts_at: str | None
    start_before: str | None
    expires_at: str | None
    duration_days: int | None
    upload_kbit: int | None
    download_kbit: int | None
    at_limit: AtLimitEnum
    throttle_kbit: int | None
    grace_seconds: int
    delete_after_days: int | None
    next_plan: NextPlan | None
    id: str
    name: str
    external_id: str | None
    state: ClientState
    enabled: bool
    holds: list[Hold]
    off: Off | None
    tags: list[str]
    metadata: dict[str, Any]
    note: str
    email: str
    telegram_id: str
    plan: str | None
    usage: Usage
    first_connected_at: str | None
    version: int
    created_by: str
    created_at: str
    updated_at: str
    deleted_at: str | None
    purge_at: str | None
    devices: list[Device]


class ClientCreate(TypedDict):
    """A new client. Without ``public_key`` the portal makes the key pair."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    quota_bytes: NotRequired[int | None]
    upload_quota_bytes: NotRequired[int | None]
    download_quota_bytes: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    starts_at: NotRequired[str | None]
    start_before: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    duration_days: NotRequired[int | None]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    name: str
    external_id: NotRequired[str | None]
    email: NotRequired[str]
    telegram_id: NotRequired[str]
    note: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    plan: NotRequired[str | None]
    device_name: NotRequired[str]
    interface: NotRequired[str | None]
    public_key: NotRequired[str | None]
    key_mode: NotRequired[KeyModeEnum]


class ClientPatch(TypedDict):
    """A change. What cannot be changed may be sent back as it was read."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    quota_bytes: NotRequired[int | None]
    upload_quota_bytes: NotRequired[int | None]
    download_quota_bytes: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    starts_at: NotRequired[str | None]
    start_before: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    duration_days: NotRequired[int | None]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    name: NotRequired[str]
    external_id: NotRequired[str | None]
    email: NotRequired[str]
    telegram_id: NotRequired[str]
    note: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    plan: NotRequired[str | None]
    device_name: NotRequired[str]


class ClientUsage(TypedDict):
    """What a client used in its period, and what is left; null limits are none."""

    period: Period
    used_bytes: int
    used_upload_bytes: int
    used_download_bytes: int
    limit_bytes: int | None
    limit_upload_bytes: int | None
    limit_download_bytes: int | None
    extra_bytes: int
    left_bytes: int | None
    percent: int | None
    throttled_since: str | None
    speed: Speed
    total: Bytes
    devices: list[DeviceUsage]
    observed_at: str | None


class ClientWithJob(TypedDict):
    """A client after a change, with the job that applies it."""

    quota_bytes: int | None
    upload_quota_bytes: int | None
    download_quota_bytes: int | None
    reset: PlanReset
    starts_at: str | None
    start_before: str | None
    expires_at: str | None
    duration_days: int | None
    upload_kbit: int | None
    download_kbit: int | None
    at_limit: AtLimitEnum
    throttle_kbit: int | None
    grace_seconds: int
    delete_after_days: int | None
    next_plan: NextPlan | None
    id: str
    name: str
    external_id: str | None
    state: ClientState
    enabled: bool
    holds: list[Hold]
    off: Off | None
    tags: list[str]
    metadata: dict[str, Any]
    note: str
    email: str
    telegram_id: str
    plan: str | None
    usage: Usage
    first_connected_at: str | None
    version: int
    created_by: str
    created_at: str
    updated_at: str
    deleted_at: str | None
    purge_at: str | None
    devices: list[Device]
    job: JobRef


class ConfigFile(TypedDict):
    """The file inside JSON. ``outdated`` and ``delivered_at`` speak of the one before this."""

    config: str
    file_name: str
    private_key_known: bool
    outdated: bool
    delivered_at: str | None


class ConfigSelection(TypedDict):
    """Which clients: one of the three. ``filter`` takes what the list of clients takes."""

    ids: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    filter: NotRequired[dict[str, Any]]


class CutOff(TypedDict):
    """Whether the gateway's kernel stops clients at the byte of their limit (docs/cutoff.md)."""

    state: CutOffStateEnum
    clients: int
    reason: str
    since: str | None


class CutOffInput(TypedDict):
    """Whether the gateway's kernel stops clients at the byte of their limit (docs/cutoff.md)."""

    state: CutOffStateEnum
    clients: int
    reason: str
    since: str | None


class Device(TypedDict):
    """A device. ``status`` says how far its latest change has come, ``reason`` why not further."""

    id: str
    name: str
    interface: str
    gateway: str
    public_key: str
    private_key_known: bool
    awaits_key: bool
    preshared_key_set: bool
    addresses: list[str]
    networks: list[str]
    persistent_keepalive: int | None
    endpoint: str
    dns_servers: list[str] | None
    mtu: int | None
    client_keepalive: int | None
    routes: list[str] | None
    endpoint_override: str
    status: DeviceStatus
    reason: str
    file: FileState
    live: Live


class DeviceCreate(TypedDict):
    """One more device. Without ``public_key`` the portal makes the key pair."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    name: NotRequired[str]
    interface: NotRequired[str | None]
    public_key: NotRequired[str | None]
    key_mode: NotRequired[KeyModeEnum]


class DeviceInput(TypedDict):
    """A device. ``status`` says how far its latest change has come, ``reason`` why not further."""

    id: str
    name: str
    interface: str
    gateway: str
    public_key: str
    private_key_known: bool
    awaits_key: bool
    preshared_key_set: bool
    addresses: list[str]
    networks: list[str]
    persistent_keepalive: int | None
    endpoint: str
    dns_servers: list[str] | None
    mtu: int | None
    client_keepalive: int | None
    routes: list[str] | None
    endpoint_override: str
    status: DeviceStatus
    reason: str
    file: FileStateInput
    live: LiveInput


class DevicePatch(TypedDict):
    """A change. What cannot be changed may be sent back as it was read."""

    preshared_key: NotRequired[str | None]
    addresses: NotRequired[list[str]]
    networks: NotRequired[list[str]]
    persistent_keepalive: NotRequired[int | None]
    endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str] | None]
    mtu: NotRequired[int | None]
    client_keepalive: NotRequired[int | None]
    routes: NotRequired[list[str] | None]
    endpoint_override: NotRequired[str]
    name: NotRequired[str]


class DeviceUsage(TypedDict):
    """All that a device used since it was added."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int
    id: str
    name: str
    observed_at: str | None


class Disable(TypedDict):
    """Why a client is switched off."""

    reason: NotRequired[str]
    note: NotRequired[str]


class Event(TypedDict):
    """One act. ``before`` and ``after`` hold what it changed, never a secret."""

    id: str
    at: str
    tenant: str | None
    action: str
    actor: EventActor
    target: EventTarget
    before: dict[str, Any]
    after: dict[str, Any]
    result: str


class EventActor(TypedDict):
    """Who acted. The address of an operator is told to operators alone."""

    kind: EventActorKindEnum
    id: str
    name: str
    address: str | None
    by_operator: bool


class EventTarget(TypedDict):
    """What was acted on."""

    type: str
    id: str
    name: str


class Extend(TypedDict):
    """Days, bytes, or both. The bytes are there in every period from now on."""

    days: NotRequired[int]
    bytes: NotRequired[int]


class FileState(TypedDict):
    """Whether the file that was handed out last has been overtaken by a change, and when it was."""

    outdated: bool
    delivered_at: str | None


class FileStateInput(TypedDict):
    """Whether the file that was handed out last has been overtaken by a change, and when it was."""

    outdated: bool
    delivered_at: str | None


class FoundingChange(TypedDict):
    """The answer to a founding call that changes something; ``client`` is null for an apply."""

    success: bool
    message: str
    client: str | None
    job: JobRef


class FoundingProblem(TypedDict):
    success: Literal[False]
    message: str
    errors: list[ProblemError]


class FoundingStatus(TypedDict):
    """The interface as last seen, ``age_seconds`` ago."""

    success: bool
    interface: str
    status: FoundingStatusStatusEnum
    active: bool
    reason: str
    peers: int
    online: int
    pending: int
    drift: bool
    observed_at: str | None
    age_seconds: float | None


class Gateway(TypedDict):
    """A host with WireGuard interfaces. ``unreachable_since``: when its worker was last heard of, if that is more than a minute ago."""

    id: str
    slug: str
    name: str
    endpoint_address: str
    relay_endpoint: str
    location: str
    country: str
    netns: str
    usage_percent: int
    found_address: str
    host_id: str
    alarm: str
    queue: Queue
    unreachable_since: str | None
    interfaces: list[str]
    last_seen_at: str | None
    version: int
    config_generation: int
    created_at: str


class GatewayCreate(TypedDict):
    """A new gateway. Its worker eats the queue ``gateway.<slug>``."""

    name: NotRequired[str]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    location: NotRequired[str]
    country: NotRequired[str]
    netns: NotRequired[str]
    usage_percent: NotRequired[int]
    slug: str


class GatewayEdited(TypedDict):
    """A gateway after an edit, and what that does."""

    id: str
    slug: str
    name: str
    endpoint_address: str
    relay_endpoint: str
    location: str
    country: str
    netns: str
    usage_percent: int
    found_address: str
    host_id: str
    alarm: str
    queue: Queue
    unreachable_since: str | None
    interfaces: list[str]
    last_seen_at: str | None
    version: int
    config_generation: int
    created_at: str
    preview: Preview


class GatewayPatch(TypedDict):
    """A change; ``alarm`` may be set to ''. What cannot be changed may be sent back as read."""

    name: NotRequired[str]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    location: NotRequired[str]
    country: NotRequired[str]
    netns: NotRequired[str]
    usage_percent: NotRequired[int]
    alarm: NotRequired[str]


class Hold(TypedDict):
    """An open reason why the client may not connect."""

    reason: HoldReasonEnum
    note: str
    opened_at: str
    until: str | None


class HoldInput(TypedDict):
    """An open reason why the client may not connect."""

    reason: HoldReasonEnum
    note: str
    opened_at: str
    until: str | None


class Interface(TypedDict):
    """An interface. Sellers are shown what they sell on; the rest is for operators."""

    id: str
    name: str
    label: str
    gateway: str
    location: str
    country: str
    ipv6: bool
    is_default: bool
    up: bool
    addresses_left: bool
    public_key: str
    observed_at: str | None
    version: int
    listen_port: NotRequired[int]
    addresses: NotRequired[list[str]]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int | None]
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    pre_up: NotRequired[list[str]]
    post_up: NotRequired[list[str]]
    pre_down: NotRequired[list[str]]
    post_down: NotRequired[list[str]]
    nat: NotRequired[bool]
    forward: NotRequired[bool]
    backend: NotRequired[BackendEnum]
    restart_policy: NotRequired[RestartPolicyEnum]
    enabled: NotRequired[bool]
    simulated: NotRequired[bool]
    wg_quick: NotRequired[bool]
    config_generation: NotRequired[int]
    observed: NotRequired[Observed]
    cutoff: NotRequired[CutOff]
    speeds: NotRequired[Speeds]
    created_at: NotRequired[str]


class InterfaceCreate(TypedDict):
    """A new interface of a gateway (its slug or id). Its keys are made here."""

    label: NotRequired[str]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int | None]
    listen_port: int
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    pre_up: NotRequired[list[str]]
    post_up: NotRequired[list[str]]
    pre_down: NotRequired[list[str]]
    post_down: NotRequired[list[str]]
    nat: NotRequired[bool]
    forward: NotRequired[bool]
    backend: NotRequired[BackendEnum]
    restart_policy: NotRequired[RestartPolicyEnum]
    enabled: NotRequired[bool]
    is_default: NotRequired[bool]
    gateway: str
    name: str
    addresses: list[str]


class InterfaceEdited(TypedDict):
    """An interface after an edit, what that does, and the job that does it."""

    id: str
    name: str
    label: str
    gateway: str
    location: str
    country: str
    ipv6: bool
    is_default: bool
    up: bool
    addresses_left: bool
    public_key: str
    observed_at: str | None
    version: int
    listen_port: NotRequired[int]
    addresses: NotRequired[list[str]]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int | None]
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    pre_up: NotRequired[list[str]]
    post_up: NotRequired[list[str]]
    pre_down: NotRequired[list[str]]
    post_down: NotRequired[list[str]]
    nat: NotRequired[bool]
    forward: NotRequired[bool]
    backend: NotRequired[BackendEnum]
    restart_policy: NotRequired[RestartPolicyEnum]
    enabled: NotRequired[bool]
    simulated: NotRequired[bool]
    wg_quick: NotRequired[bool]
    config_generation: NotRequired[int]
    observed: NotRequired[Observed]
    cutoff: NotRequired[CutOff]
    speeds: NotRequired[Speeds]
    created_at: NotRequired[str]
    preview: Preview
    job: JobRef | None


class InterfacePatch(TypedDict):
    """A change. What cannot be changed may be sent back as it was read."""

    label: NotRequired[str]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int | None]
    listen_port: NotRequired[int]
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    pre_up: NotRequired[list[str]]
    post_up: NotRequired[list[str]]
    pre_down: NotRequired[list[str]]
    post_down: NotRequired[list[str]]
    nat: NotRequired[bool]
    forward: NotRequired[bool]
    backend: NotRequired[BackendEnum]
    restart_policy: NotRequired[RestartPolicyEnum]
    enabled: NotRequired[bool]
    is_default: NotRequired[bool]


class InterfaceUsage(TypedDict):
    """What was used on one interface; null names stand for those that are gone."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int
    interface: str | None
    name: str | None
    gateway: str | None


class InterfaceWithJob(TypedDict):
    """A new interface, and the job that brings it up (null for one that is off)."""

    id: str
    name: str
    label: str
    gateway: str
    location: str
    country: str
    ipv6: bool
    is_default: bool
    up: bool
    addresses_left: bool
    public_key: str
    observed_at: str | None
    version: int
    listen_port: NotRequired[int]
    addresses: NotRequired[list[str]]
    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int | None]
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    pre_up: NotRequired[list[str]]
    post_up: NotRequired[list[str]]
    pre_down: NotRequired[list[str]]
    post_down: NotRequired[list[str]]
    nat: NotRequired[bool]
    forward: NotRequired[bool]
    backend: NotRequired[BackendEnum]
    restart_policy: NotRequired[RestartPolicyEnum]
    enabled: NotRequired[bool]
    simulated: NotRequired[bool]
    wg_quick: NotRequired[bool]
    config_generation: NotRequired[int]
    observed: NotRequired[Observed]
    cutoff: NotRequired[CutOff]
    speeds: NotRequired[Speeds]
    created_at: NotRequired[str]
    job: JobRef | None


class InterfacesUsage(TypedDict):
    """What was used on each interface."""

    timezone: str
    begins_at: str
    ends_at: str
    total: Bytes
    lines: list[InterfaceUsage]


class Job(TypedDict):
    """A job without its items."""

    id: str
    href: str
    kind: JobKind
    status: JobStatus
    progress: Progress
    tier: int | None
    message: str
    created_at: str
    started_at: str | None
    finished_at: str | None


class JobDetail(TypedDict):
    """A job with its first items; ``items_next`` leads to the rest, null when there is none."""

    id: str
    href: str
    kind: JobKind
    status: JobStatus
    progress: Progress
    tier: int | None
    message: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    items: list[JobItem]
    items_next: str | None


class JobItem(TypedDict):
    """What became of one device on one interface; ``client`` is null once it is gone."""

    public_key: str
    interface: str
    client: str | None
    outcome: JobItemOutcome
    tier: int | None
    attempts: int
    duration_ms: float | None
    message: str


class JobOnly(TypedDict):
    """What a deletion answers to who waited for it."""

    job: JobRef


class JobRef(TypedDict):
    """How a write names its job."""

    id: str
    status: JobStatus
    href: str


class Kick(TypedDict):
    """For how long."""

    reason: NotRequired[str]
    note: NotRequired[str]
    seconds: NotRequired[int]


class Link(TypedDict):
    """A link without its secret."""

    id: str
    client: str
    device: str
    name: str
    state: ShareLinkState
    single_use: bool
    allows_key: bool
    expires_at: str | None
    uses: int
    last_used_at: str | None
    last_used_ip: str | None
    created_by: str
    created_at: str
    revoked_at: str | None


class LinkCreate(TypedDict):
    """A new link: for 30 days unless its end is named; ``expires_at`` null is for no end."""

    name: NotRequired[str]
    single_use: NotRequired[bool]
    allows_key: NotRequired[bool]
    expires_at: NotRequired[str | None]
    expires_in: NotRequired[int]


class LinkMade(TypedDict):
    """A new link. ``url`` is shown here and never again: only its digest is stored."""

    id: str
    client: str
    device: str
    name: str
    state: ShareLinkState
    single_use: bool
    allows_key: bool
    expires_at: str | None
    uses: int
    last_used_at: str | None
    last_used_ip: str | None
    created_by: str
    created_at: str
    revoked_at: str | None
    url: str | None
    config_url: str | None


class Live(TypedDict):
    """What was last seen of a device; bytes as the client sees them, since it was added."""

    online: bool
    endpoint: str | None
    last_handshake_at: str | None
    upload_bytes: int
    download_bytes: int
    observed_at: str | None


class LiveInput(TypedDict):
    """What was last seen of a device; bytes as the client sees them, since it was added."""

    online: bool
    endpoint: str | None
    last_handshake_at: str | None
    upload_bytes: int
    download_bytes: int
    observed_at: str | None


class Location(TypedDict):
    """A gateway as a place. ``available``: an interface of it is up and has an address left."""

    id: str
    gateway: str
    location: str
    country: str
    available: bool
    interfaces: list[Offer]


class Login(TypedDict):
    """A person who sees a client as its customer. The user name is told of those alone who have no e-mail address, as it is of members."""

    id: str
    client: str
    email: str
    username: str | None
    created_by: str
    created_at: str


class LoginCreate(TypedDict):
    """A person who is to see the client."""

    email: NotRequired[str]
    username: NotRequired[str]


class Me(TypedDict):
    """The caller. ``scopes`` are those that token, role and operator level leave together."""

    kind: MeKindEnum
    user: MePerson | None
    token: MeToken | None
    operator: OperatorEnum | None
    role: MemberRole | None
    scopes: list[str]
    sandbox: bool
    tenant: MeTenant
    limits: MeLimits
    used: MeUsed
    tenants: list[MeTenant]


class MeLimits(TypedDict):
    """The acting tenant's limits; null is none."""

    max_clients: int | None
    max_devices_per_client: int | None
    max_bytes_per_period: int | None
    pool_counts: PoolCounts
    max_speed_kbit: int | None


class MePerson(TypedDict):
    """The person, where there is one."""

    id: str
    username: str
    email: str
    name: str


class MeTenant(TypedDict):
    """A tenant that the caller may act for, with the role in it."""

    id: str
    slug: str
    name: str
    status: TenantStatus
    sandbox: bool
    role: MemberRole | None


class MeToken(TypedDict):
    """The token, where the request showed one."""

    id: str
    name: str
    prefix: str
    expires_at: str | None
    allowed_cidrs: list[str]


class MeUsed(TypedDict):
    """What the acting tenant has."""

    clients: int
    devices: int


class Member(TypedDict):
    """A person who may act for the tenant. ``id`` is the person's. The user name is told of those alone who have no e-mail address: of others it would tell that an account was there before the tenant named its address."""

    id: str
    email: str
    username: str | None
    role: MemberRole
    created_at: str


class MemberCreate(TypedDict):
    """A new member."""

    email: NotRequired[str]
    username: NotRequired[str]
    role: MemberRole


class MemberPatch(TypedDict):
    """A member's role."""

    role: NotRequired[MemberRole]


class Move(TypedDict):
    """Where to: an interface by its id, or by a name that only one gateway has."""

    interface: str


class NextPlan(TypedDict):
    """The plan that follows, when, and whether the bytes that are left go over into it."""

    plan: str
    when: NextPlanWhenEnum
    carries: bool


class NextPlanInput(TypedDict):
    """The plan that follows, when, and whether the bytes that are left go over into it."""

    plan: str
    when: NextPlanWhenEnum
    carries: bool


class Nothing(TypedDict):
    """An empty body, or {}."""



class Observed(TypedDict):
    """What the gateway's worker last saw of an interface."""

    state: str
    reason: str
    backend: str
    peers: int
    drift: dict[str, int]
    unrecorded_peers: int
    observed_at: str | None


class ObservedInput(TypedDict):
    """What the gateway's worker last saw of an interface."""

    state: str
    reason: str
    backend: str
    peers: int
    drift: dict[str, int]
    unrecorded_peers: int
    observed_at: str | None


class Off(TypedDict):
    """Why a client is off: the strongest of its holds, and what brings it back."""

    reason: OffReasonEnum
    message: str
    since: str | None
    until: str | None
    remedy: str


class OffInput(TypedDict):
    """Why a client is off: the strongest of its holds, and what brings it back."""

    reason: OffReasonEnum
    message: str
    since: str | None
    until: str | None
    remedy: str


class Offer(TypedDict):
    """An interface of a location, by which a client is created there."""

    id: str
    name: str
    label: str
    up: bool
    addresses_left: bool


class OnInterface(TypedDict):
    """Which interface; the default one if none is named."""

    interface: NotRequired[str | None]


class OwnTenant(TypedDict):
    """A tenant, as its owners may change it. Limits and status are the operators'."""

    id: str
    slug: str
    name: str
    status: TenantStatus
    status_reason: str
    status_since: str | None
    sandbox_of: str | None
    max_clients: int | None
    max_devices_per_client: int | None
    max_bytes_per_period: int | None
    pool_counts: PoolCounts
    pool_reset: PoolReset
    pool_stops: PoolStops
    max_speed_kbit: int | None
    requests_per_minute: int | None
    interfaces: list[str] | None
    pools: list[str] | None
    contact_name: NotRequired[str]
    contact_email: NotRequired[str]
    contact_phone: NotRequired[str]
    brand_name: NotRequired[str]
    brand_color: NotRequired[str]
    brand_color_dark: NotRequired[str]
    support_url: NotRequired[str]
    config_prefix: NotRequired[str]
    logo: str | None
    timezone: NotRequired[str]
    language: NotRequired[LanguageEnum]
    customers_sign_in: NotRequired[bool]
    warn_percents: NotRequired[list[int]]
    warn_days: NotRequired[list[int]]
    version: int
    created_at: str
    updated_at: str


class OwnTenantChange(TypedDict):
    """A tenant, as its owners may change it. Limits and status are the operators'."""

    contact_name: NotRequired[str]
    contact_email: NotRequired[str]
    contact_phone: NotRequired[str]
    brand_name: NotRequired[str]
    brand_color: NotRequired[str]
    brand_color_dark: NotRequired[str]
    support_url: NotRequired[str]
    config_prefix: NotRequired[str]
    timezone: NotRequired[str]
    language: NotRequired[LanguageEnum]
    customers_sign_in: NotRequired[bool]
    warn_percents: NotRequired[list[int]]
    warn_days: NotRequired[list[int]]


class OwnUsage(TypedDict):
    """The acting tenant's usage."""

    tenant: str
    slug: str
    period: Period
    used_upload_bytes: int
    used_download_bytes: int
    pool: PoolUsage
    total: Bytes
    observed_at: str | None


class Peer(TypedDict):
    """A device and whose it is. ``version`` is its client's: one ETag for both."""

    id: str
    name: str
    interface: str
    gateway: str
    public_key: str
    private_key_known: bool
    awaits_key: bool
    preshared_key_set: bool
    addresses: list[str]
    networks: list[str]
    persistent_keepalive: int | None
    endpoint: str
    dns_servers: list[str] | None
    mtu: int | None
    client_keepalive: int | None
    routes: list[str] | None
    endpoint_override: str
    status: DeviceStatus
    reason: str
    file: FileState
    live: Live
    client: str
    client_external_id: str | None
    version: int


class PeerWithJob(TypedDict):
    """A device after a change, with the job that applies it."""

    id: str
    name: str
    interface: str
    gateway: str
    public_key: str
    private_key_known: bool
    awaits_key: bool
    preshared_key_set: bool
    addresses: list[str]
    networks: list[str]
    persistent_keepalive: int | None
    endpoint: str
    dns_servers: list[str] | None
    mtu: int | None
    client_keepalive: int | None
    routes: list[str] | None
    endpoint_override: str
    status: DeviceStatus
    reason: str
    file: FileState
    live: Live
    client: str
    client_external_id: str | None
    version: int
    job: JobRef


class Period(TypedDict):
    """The period that limits count in. ``ends_at`` is null where none follows by itself."""

    number: int
    began_at: str | None
    ends_at: str | None


class PersonIn(TypedDict):
    """Somebody: by e-mail address (a new account is made for one that nobody has) or, for an account that has no address, by user name. Operators name any account by its user name."""

    email: NotRequired[str]
    username: NotRequired[str]


class Plan(TypedDict):
    """A plan. A null limit is no limit; bytes and kbit/s are as the client sees them. ``total_bytes`` limits both directions together, ``upload_bytes`` and ``download_bytes`` each apart. The time begins at ``start``: now, at a date that the sale names, or with the first handshake, which must come within ``start_within_days``."""

    id: str
    name: NotRequired[str]
    description: NotRequired[str]
    price_label: NotRequired[str]
    total_bytes: NotRequired[int | None]
    upload_bytes: NotRequired[int | None]
    download_bytes: NotRequired[int | None]
    duration_days: NotRequired[int | None]
    start: NotRequired[StartEnum]
    start_within_days: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    devices: NotRequired[int]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    archived: NotRequired[bool]
    archived_at: str | None
    version: int
    created_at: str
    updated_at: str


class PlanChange(TypedDict):
    """A plan. A null limit is no limit; bytes and kbit/s are as the client sees them. ``total_bytes`` limits both directions together, ``upload_bytes`` and ``download_bytes`` each apart. The time begins at ``start``: now, at a date that the sale names, or with the first handshake, which must come within ``start_within_days``."""

    name: NotRequired[str]
    description: NotRequired[str]
    price_label: NotRequired[str]
    total_bytes: NotRequired[int | None]
    upload_bytes: NotRequired[int | None]
    download_bytes: NotRequired[int | None]
    duration_days: NotRequired[int | None]
    start: NotRequired[StartEnum]
    start_within_days: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    devices: NotRequired[int]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]
    archived: NotRequired[bool]


class PlanCreate(TypedDict):
    """A new plan."""

    name: str
    description: NotRequired[str]
    price_label: NotRequired[str]
    total_bytes: NotRequired[int | None]
    upload_bytes: NotRequired[int | None]
    download_bytes: NotRequired[int | None]
    duration_days: NotRequired[int | None]
    start: NotRequired[StartEnum]
    start_within_days: NotRequired[int | None]
    reset: NotRequired[PlanReset]
    devices: NotRequired[int]
    upload_kbit: NotRequired[int | None]
    download_kbit: NotRequired[int | None]
    at_limit: NotRequired[AtLimitEnum]
    throttle_kbit: NotRequired[int | None]
    grace_seconds: NotRequired[int]
    delete_after_days: NotRequired[int | None]


class Point(TypedDict):
    """One span of a series; a day has 23 or 25 hours where clocks are turned."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int
    begins_at: str
    seconds: int


class Pool(TypedDict):
    """A range of addresses that devices are given from."""

    id: str
    name: str
    interface_id: str
    interface: str
    gateway: str
    network: str
    family: int
    first: str
    last: str
    size: int
    given: int
    held_back: int
    free: int


class PoolCreate(TypedDict):
    """Another network of an interface; the first host of it becomes the server's address."""

    interface_id: str
    network: str
    name: NotRequired[str]


class PoolPatch(TypedDict):
    """A change of a pool's name. What cannot be changed may be sent back as it was read."""

    name: NotRequired[str]


class PoolUsage(TypedDict):
    """The tenant's pool: bytes of a period that clients use, or that are sold to them."""

    counts: PoolCounts
    reset: PoolReset
    stops: PoolStops
    limit_bytes: int | None
    used_bytes: int
    sold_bytes: int
    left_bytes: int | None
    percent: int | None
    stopped_since: str | None


class PoolWithJob(TypedDict):
    """A new pool, and the job that gives the interface its address in it."""

    id: str
    name: str
    interface_id: str
    interface: str
    gateway: str
    network: str
    family: int
    first: str
    last: str
    size: int
    given: int
    held_back: int
    free: int
    job: JobRef | None


class Preview(TypedDict):
    """What an edit does. ``live`` fields are in force within moments and no session notices."""

    changes: list[str]
    live: list[str]
    next_bring_up: list[str]
    rebinds_socket: bool
    ends_sessions: bool
    outdates_files: bool
    devices: int
    files_outdated: int
    summary: str


class Problem(TypedDict):
    """RFC 9457. Not every `type` has its own status: `errors` says more."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError]


class ProblemError(TypedDict):
    field: str | None
    code: str
    detail: str


class Progress(TypedDict):
    """How many of a job's items are settled, and how many of those failed."""

    total: int
    done: int
    failed: int


class Queue(TypedDict):
    """Whether a gateway's worker answers. ``age_seconds`` since it last did."""

    name: str
    health: HealthEnum
    seen_at: str | None
    age_seconds: float | None


class QueueInput(TypedDict):
    """Whether a gateway's worker answers. ``age_seconds`` since it last did."""

    name: str
    health: HealthEnum
    seen_at: str | None
    age_seconds: float | None


class RemovePeer(TypedDict):
    """The founding call's body."""

    public_key: str
    interface: NotRequired[str | None]


class RotateKeys(TypedDict):
    """What is left out is made: the pair always, the preshared key where there was one."""

    public_key: NotRequired[str | None]
    key_mode: NotRequired[KeyModeEnum]
    preshared_key: NotRequired[str | None]


class ScheduledJob(TypedDict):
    """A job of the schedule. ``late``: it has not finished for three intervals. ``age_seconds`` counts from its last finished run, or from when it first had to run. A run that failed is not finished: ``error`` says why, and ``failed_at`` when."""

    name: str
    interval_seconds: float
    late: bool
    age_seconds: float
    started_at: str | None
    finished_at: str | None
    next_at: str | None
    duration_ms: float | None
    counts: dict[str, int]
    runs: int
    failures: int
    error: str
    failed_at: str | None


class Series(TypedDict):
    """What was used, span by span; none is left out."""

    by: UsageSpan
    timezone: str
    begins_at: str
    ends_at: str
    coarse: bool
    total: Bytes
    points: list[Point]


class Session(TypedDict):
    """From a device's first handshake after a silence to its last before the next."""

    device: str
    device_name: str
    began_at: str
    ended_at: str | None
    endpoint: str
    upload_bytes: int
    download_bytes: int


class Settings(TypedDict):
    """Defaults that interfaces and devices inherit."""

    endpoint_address: str
    relay_endpoint: str
    dns_servers: list[str]
    mtu: int
    persistent_keepalive: int
    default_routes: list[str]
    firewall_mark: int | None
    table: str
    config_file_path: str
    timezone: str
    language: str
    address_hold_seconds: int
    undelete_seconds: int
    keep_ledger_days: int
    keep_quarters_days: int
    keep_sessions_days: int
    version: int
    config_generation: int
    updated_at: str


class SettingsEdited(TypedDict):
    """The settings after an edit, what that does, and the job that brings it to interfaces."""

    endpoint_address: str
    relay_endpoint: str
    dns_servers: list[str]
    mtu: int
    persistent_keepalive: int
    default_routes: list[str]
    firewall_mark: int | None
    table: str
    config_file_path: str
    timezone: str
    language: str
    address_hold_seconds: int
    undelete_seconds: int
    keep_ledger_days: int
    keep_quarters_days: int
    keep_sessions_days: int
    version: int
    config_generation: int
    updated_at: str
    preview: Preview
    job: JobRef | None


class SettingsPatch(TypedDict):
    """A change of the settings."""

    endpoint_address: NotRequired[str]
    relay_endpoint: NotRequired[str]
    dns_servers: NotRequired[list[str]]
    mtu: NotRequired[int]
    persistent_keepalive: NotRequired[int]
    default_routes: NotRequired[list[str]]
    firewall_mark: NotRequired[int | None]
    table: NotRequired[str]
    config_file_path: NotRequired[str]
    timezone: NotRequired[str]
    language: NotRequired[str]
    address_hold_seconds: NotRequired[int]
    undelete_seconds: NotRequired[int]
    keep_ledger_days: NotRequired[int]
    keep_quarters_days: NotRequired[int]
    keep_sessions_days: NotRequired[int]


class Speed(TypedDict):
    """How fast each device may be now, in kbit/s: the least of what was sold, of the tenant's limit and, at the limit of bytes, of the throttle. Null is no limit."""

    upload_kbit: int | None
    download_kbit: int | None


class Speeds(TypedDict):
    """How the speeds of clients are kept on an interface (docs/speed.md)."""

    state: SpeedsStateEnum
    devices: int
    reason: str
    since: str | None


class SpeedsInput(TypedDict):
    """How the speeds of clients are kept on an interface (docs/speed.md)."""

    state: SpeedsStateEnum
    devices: int
    reason: str
    since: str | None


class Standing(TypedDict):
    """A tenant's status, and the job that brings its clients to it."""

    id: str
    slug: str
    status: TenantStatus
    status_reason: str
    status_since: str | None
    version: int
    job: JobRef


class Statement(TypedDict):
    """What each client used; who used nothing has no line. The lines add up to the total."""

    tenant: str
    slug: str
    name: str
    timezone: str
    begins_at: str
    ends_at: str
    total: Bytes
    lines: list[StatementLine]


class StatementLine(TypedDict):
    """One client. `handed-over` is what clients used that belong to another tenant by now."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int
    kind: StatementLineKindEnum
    client: str | None
    external_id: str | None
    name: str
    deleted: bool
    devices: int
    raw_bytes: int
    billed_bytes: int


class Sure(TypedDict):
    """That this tenant is meant and no other."""

    slug: str


class Suspend(TypedDict):
    """Why a client is suspended."""

    reason: NotRequired[str]
    note: NotRequired[str]


class TenantCreate(TypedDict):
    """A new tenant."""

    slug: NotRequired[str]
    name: str
    max_clients: NotRequired[int | None]
    max_devices_per_client: NotRequired[int | None]
    max_bytes_per_period: NotRequired[int | None]
    pool_counts: NotRequired[PoolCounts]
    pool_reset: NotRequired[PoolReset]
    pool_stops: NotRequired[PoolStops]
    max_speed_kbit: NotRequired[int | None]
    requests_per_minute: NotRequired[int | None]
    interfaces: NotRequired[list[str] | None]
    pools: NotRequired[list[str] | None]
    contact_name: NotRequired[str]
    contact_email: NotRequired[str]
    contact_phone: NotRequired[str]
    brand_name: NotRequired[str]
    brand_color: NotRequired[str]
    brand_color_dark: NotRequired[str]
    support_url: NotRequired[str]
    config_prefix: NotRequired[str]
    timezone: NotRequired[str]
    language: NotRequired[LanguageEnum]
    customers_sign_in: NotRequired[bool]
    warn_percents: NotRequired[list[int]]
    warn_days: NotRequired[list[int]]
    owner: NotRequired[PersonIn]


class TenantPatch(TypedDict):
    """What operators may change of a tenant."""

    name: NotRequired[str]
    max_clients: NotRequired[int | None]
    max_devices_per_client: NotRequired[int | None]
    max_bytes_per_period: NotRequired[int | None]
    pool_counts: NotRequired[PoolCounts]
    pool_reset: NotRequired[PoolReset]
    pool_stops: NotRequired[PoolStops]
    max_speed_kbit: NotRequired[int | None]
    requests_per_minute: NotRequired[int | None]
    interfaces: NotRequired[list[str] | None]
    pools: NotRequired[list[str] | None]
    contact_name: NotRequired[str]
    contact_email: NotRequired[str]
    contact_phone: NotRequired[str]
    brand_name: NotRequired[str]
    brand_color: NotRequired[str]
    brand_color_dark: NotRequired[str]
    support_url: NotRequired[str]
    config_prefix: NotRequired[str]
    timezone: NotRequired[str]
    language: NotRequired[LanguageEnum]
    customers_sign_in: NotRequired[bool]
    warn_percents: NotRequired[list[int]]
    warn_days: NotRequired[list[int]]


class TenantStatementLine(TypedDict):
    """One tenant."""

    raw_upload_bytes: int
    raw_download_bytes: int
    billed_upload_bytes: int
    billed_download_bytes: int
    tenant: str
    slug: str
    name: str
    raw_bytes: int
    billed_bytes: int


class TenantUsage(TypedDict):
    """What a tenant used in its period, deleted clients included, and how its pool stands."""

    tenant: str
    slug: str
    period: Period
    used_upload_bytes: int
    used_download_bytes: int
    pool: PoolUsage
    total: Bytes


class TenantsStatement(TypedDict):
    """What each tenant used; the time zone is that of the global settings."""

    timezone: str
    begins_at: str
    ends_at: str
    total: Bytes
    lines: list[TenantStatementLine]


class Token(TypedDict):
    """A token, without its text. ``user`` is null for a machine's."""

    id: str
    name: NotRequired[str]
    prefix: str
    user: str | None
    scopes: NotRequired[list[str]]
    operator: bool
    sandbox: bool
    allowed_cidrs: list[str]
    expires_at: NotRequired[str | None]
    requests_per_minute: int | None
    created_at: str
    last_used_at: str | None
    last_used_ip: str | None
    revoked_at: str | None


class TokenChange(TypedDict):
    """A token, without its text. ``user`` is null for a machine's."""

    name: NotRequired[str]
    scopes: NotRequired[list[str]]
    expires_at: NotRequired[str | None]


class TokenCreate(TypedDict):
    """A new token: a machine's, unless ``user`` names a member or ``mine`` is true."""

    name: str
    scopes: list[str]
    allowed_cidrs: NotRequired[list[str]]
    expires_at: NotRequired[str | None]
    requests_per_minute: NotRequired[int | None]
    user: NotRequired[str | None]
    mine: NotRequired[bool]
    sandbox: NotRequired[bool]
    operator: NotRequired[bool]


class TokenWithText(TypedDict):
    """A token as it is shown this once."""

    id: str
    name: NotRequired[str]
    prefix: str
    user: str | None
    scopes: NotRequired[list[str]]
    operator: bool
    sandbox: bool
    allowed_cidrs: list[str]
    expires_at: NotRequired[str | None]
    requests_per_minute: int | None
    created_at: str
    last_used_at: str | None
    last_used_ip: str | None
    revoked_at: str | None
    token: str


class TopUp(TypedDict):
    """Days, bytes, or both. The bytes are for the period that runs, and gone with it."""

    days: NotRequired[int]
    bytes: NotRequired[int]


class Transfer(TypedDict):
    """To whom: a tenant by its id or slug; and one of that tenant's plans, null for none."""

    tenant: str
    plan: NotRequired[str | None]


class Usage(TypedDict):
    """How much of its period's bytes a client used, as they are billed."""

    used_bytes: int
    left_bytes: int | None
    percent: int | None


class UsageInput(TypedDict):
    """How much of its period's bytes a client used, as they are billed."""

    used_bytes: int
    left_bytes: int | None
    percent: int | None


class WakeHost(TypedDict):
    """A machine; ``link`` is the gateway's that the packet leaves by, '' for where routes lead."""

    id: str
    gateway: str
    name: str
    mac: str
    link: str
    broadcast: str
    last_job: str | None
    created_at: str
    version: int


class WakeHostCreate(TypedDict):
    """A machine; ``gateway`` is a slug or an id."""

    name: str
    mac: str
    link: NotRequired[str]
    broadcast: NotRequired[str]
    gateway: str


class WakeHostPatch(TypedDict):
    """What may be changed."""

    name: NotRequired[str]
    mac: NotRequired[str]
    link: NotRequired[str]
    broadcast: NotRequired[str]


class Why(TypedDict):
    """What the tenant's page and each hold will say."""

    reason: NotRequired[str]


BulkAct = BulkCreate | BulkUpdate | BulkEnable | BulkDisable | BulkDelete | BulkExtend | BulkTopUp | BulkReset | BulkMove


class BulkQuery(TypedDict):
    """What a list may be asked for: /api/v1/bulk."""

    action: NotRequired[Literal['create', 'delete', 'disable', 'enable', 'extend', 'move', 'reset', 'top-up', 'update']]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]
    status: NotRequired[Literal['failed', 'pending', 'running', 'succeeded']]


class BulkItemsQuery(TypedDict):
    """What a list may be asked for: /api/v1/bulk/{run_id}/items."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', 'index', '-id', '-index']]
    outcome: NotRequired[Literal['done', 'failed', 'skipped']]


class ClientsQuery(TypedDict):
    """What a list may be asked for: /api/v1/clients."""

    connected: NotRequired[Literal['false', 'true']]
    created_after: NotRequired[str]
    created_before: NotRequired[str]
    deleted: NotRequired[Literal['false', 'true']]
    ends_within: NotRequired[int]
    expires_after: NotRequired[str]
    expires_before: NotRequired[str]
    external_id: NotRequired[str]
    file_outdated: NotRequired[Literal['false', 'true']]
    interface: NotRequired[str]
    limit: NotRequired[int]
    off: NotRequired[Literal['false', 'true']]
    online: NotRequired[Literal['false', 'true']]
    ordering: NotRequired[Literal['created_at', 'expires_at', 'id', 'name', 'updated_at', '-created_at', '-expires_at', '-id', '-name', '-updated_at']]
    plan: NotRequired[str]
    search: NotRequired[str]
    state: NotRequired[Literal['active', 'disabled', 'expired', 'failed', 'kicked', 'over-quota', 'pending', 'scheduled', 'suspended']]
    tag: NotRequired[str]
    used_over: NotRequired[int]


class ClientsLoginsQuery(TypedDict):
    """What a list may be asked for: /api/v1/clients/by-external-id/{external_id}/logins."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]


class ClientsPeersQuery(TypedDict):
    """What a list may be asked for: /api/v1/clients/by-external-id/{external_id}/peers."""

    client: NotRequired[str]
    client_external_id: NotRequired[str]
    interface: NotRequired[str]
    limit: NotRequired[int]
    online: NotRequired[Literal['false', 'true']]
    ordering: NotRequired[Literal['created_at', 'id', 'last_handshake_at', 'name', '-created_at', '-id', '-last_handshake_at', '-name']]
    search: NotRequired[str]
    status: NotRequired[Literal['applied', 'failed', 'pending', 'quarantined', 'verified']]


class ClientsSessionsQuery(TypedDict):
    """What a list may be asked for: /api/v1/clients/by-external-id/{external_id}/sessions."""

    device: NotRequired[str]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['began_at', 'id', '-began_at', '-id']]
    since: NotRequired[str]
    until: NotRequired[str]


class ClientsShareLinksQuery(TypedDict):
    """What a list may be asked for: /api/v1/clients/by-external-id/{external_id}/share-links."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]


class EventsQuery(TypedDict):
    """What a list may be asked for: /api/v1/events."""

    action: NotRequired[str]
    actor: NotRequired[str]
    actor_kind: NotRequired[Literal['system', 'token', 'user']]
    after: NotRequired[str]
    by_operator: NotRequired[bool]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]
    since: NotRequired[str]
    target: NotRequired[str]
    target_type: NotRequired[str]
    until: NotRequired[str]


class GatewaysQuery(TypedDict):
    """What a list may be asked for: /api/v1/gateways."""

    alarmed: NotRequired[bool]
    country: NotRequired[str]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'id', 'name', 'slug', '-created_at', '-id', '-name', '-slug']]
    search: NotRequired[str]
    slug: NotRequired[str]


class InterfacesQuery(TypedDict):
    """What a list may be asked for: /api/v1/interfaces."""

    country: NotRequired[str]
    enabled: NotRequired[bool]
    gateway: NotRequired[str]
    limit: NotRequired[int]
    name: NotRequired[str]
    ordering: NotRequired[Literal['created_at', 'id', 'name', '-created_at', '-id', '-name']]
    search: NotRequired[str]
    state: NotRequired[Literal['down', 'foreign', 'unknown', 'unreachable', 'up']]


class JobsQuery(TypedDict):
    """What a list may be asked for: /api/v1/jobs."""

    created_after: NotRequired[str]
    created_before: NotRequired[str]
    interface: NotRequired[str]
    kind: NotRequired[Literal['apply', 'bulk', 'create', 'delete', 'disable', 'enable', 'heal', 'kick', 'link', 'move', 'restore', 'resume', 'rotate', 'suspend', 'transfer', 'update', 'wake']]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'finished_at', 'id', '-created_at', '-finished_at', '-id']]
    status: NotRequired[Literal['failed', 'pending', 'running', 'succeeded']]
    tenant: NotRequired[str]


class JobsItemsQuery(TypedDict):
    """What a list may be asked for: /api/v1/jobs/{job_id}/items."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]
    outcome: NotRequired[Literal['done', 'failed', 'open']]


class LocationsQuery(TypedDict):
    """What a list may be asked for: /api/v1/locations."""

    country: NotRequired[str]
    gateway: NotRequired[str]
    limit: NotRequired[int]
    location: NotRequired[str]
    ordering: NotRequired[Literal['country', 'id', 'location', '-country', '-id', '-location']]


class MembersQuery(TypedDict):
    """What a list may be asked for: /api/v1/members."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'id', '-created_at', '-id']]
    role: NotRequired[Literal['manager', 'owner', 'viewer']]


class PeersQuery(TypedDict):
    """What a list may be asked for: /api/v1/peers."""

    client: NotRequired[str]
    client_external_id: NotRequired[str]
    interface: NotRequired[str]
    limit: NotRequired[int]
    online: NotRequired[Literal['false', 'true']]
    ordering: NotRequired[Literal['created_at', 'id', 'last_handshake_at', 'name', '-created_at', '-id', '-last_handshake_at', '-name']]
    search: NotRequired[str]
    status: NotRequired[Literal['applied', 'failed', 'pending', 'quarantined', 'verified']]


class PeersSessionsQuery(TypedDict):
    """What a list may be asked for: /api/v1/peers/{peer_id}/sessions."""

    device: NotRequired[str]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['began_at', 'id', '-began_at', '-id']]
    since: NotRequired[str]
    until: NotRequired[str]


class PeersShareLinksQuery(TypedDict):
    """What a list may be asked for: /api/v1/peers/{peer_id}/share-links."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', '-id']]


class PlansQuery(TypedDict):
    """What a list may be asked for: /api/v1/plans."""

    archived: NotRequired[bool]
    limit: NotRequired[int]
    name: NotRequired[str]
    ordering: NotRequired[Literal['created_at', 'id', 'name', 'updated_at', '-created_at', '-id', '-name', '-updated_at']]
    search: NotRequired[str]


class PoolsQuery(TypedDict):
    """What a list may be asked for: /api/v1/pools."""

    family: NotRequired[Literal['4', '6']]
    gateway: NotRequired[str]
    interface: NotRequired[str]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['id', 'name', 'size', '-id', '-name', '-size']]


class ScheduledJobsQuery(TypedDict):
    """What a list may be asked for: /api/v1/scheduled-jobs."""

    late: NotRequired[bool]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['duration_ms', 'finished_at', 'id', 'name', '-duration_ms', '-finished_at', '-id', '-name']]
    search: NotRequired[str]


class TenantsQuery(TypedDict):
    """What a list may be asked for: /api/v1/tenants."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'id', 'name', 'slug', 'updated_at', '-created_at', '-id', '-name', '-slug', '-updated_at']]
    sandbox: NotRequired[bool]
    search: NotRequired[str]
    status: NotRequired[Literal['active', 'closed', 'suspended']]


class TenantsUsageQuery(TypedDict):
    """What a list may be asked for: /api/v1/tenants/usage."""

    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'id', 'name', 'slug', '-created_at', '-id', '-name', '-slug']]
    search: NotRequired[str]
    status: NotRequired[Literal['active', 'closed', 'suspended']]
    stopped: NotRequired[bool]


class TokensQuery(TypedDict):
    """What a list may be asked for: /api/v1/tokens."""

    limit: NotRequired[int]
    name: NotRequired[str]
    operator: NotRequired[bool]
    ordering: NotRequired[Literal['created_at', 'expires_at', 'id', 'last_used_at', 'name', '-created_at', '-expires_at', '-id', '-last_used_at', '-name']]
    prefix: NotRequired[str]
    revoked: NotRequired[bool]
    sandbox: NotRequired[bool]
    user: NotRequired[str]


class WakeHostsQuery(TypedDict):
    """What a list may be asked for: /api/v1/wake-hosts."""

    gateway: NotRequired[str]
    limit: NotRequired[int]
    ordering: NotRequired[Literal['created_at', 'id', 'name', '-created_at', '-id', '-name']]
    search: NotRequired[str]
