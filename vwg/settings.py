"""All settings of vwg. Every environment variable the product knows is read in this file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

django_stubs_ext.monkeypatch()  # ModelAdmin[Peer], QuerySet[Peer] at run time

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env.str("VWG_ENV_FILE", default=str(BASE_DIR / ".env")))

# -- Identity and secrets -------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing or shorter than 32 characters; `make up` writes a fresh one to .env"
    )
#: "id:base64 of 32 bytes", the first is used for writing, all for reading.
VWG_ENCRYPTION_KEYS = env.list("VWG_ENCRYPTION_KEYS", default=[])
#: The ring for clients' private keys; derived from the one above unless given.
VWG_CLIENT_ENCRYPTION_KEYS = env.list("VWG_CLIENT_ENCRYPTION_KEYS", default=[])
DEBUG = env.bool("DEBUG", default=False)

# -- Where vwg lives ------------------------------------------------------------------------
VWG_BIND = env.str("VWG_BIND", default="127.0.0.1:8000")
VWG_PUBLIC_URL = env.str(
    "VWG_PUBLIC_URL", default=f"http://localhost:{VWG_BIND.rpartition(':')[2]}"
).rstrip("/")
VWG_STATE_DIR = Path(env.str("VWG_STATE_DIR", default=str(BASE_DIR / "var"))).resolve()
VWG_ENDPOINT = env.str("VWG_ENDPOINT", default="")
VWG_GATEWAY = env.str("VWG_GATEWAY", default="local")
VWG_INTERFACE = env.str("VWG_INTERFACE", default="wg0")
#: The interface's own addresses; unset: 10.252.0.1/16 and a random IPv6 ULA.
VWG_ADDRESS = env.list("VWG_ADDRESS", default=[])
VWG_LISTEN_PORT = env.int("VWG_LISTEN_PORT", default=51820)
VWG_NETNS = env.str("VWG_NETNS", default="") or None
#: The `wg` command: "awg" for AmneziaWG.
VWG_WG_COMMAND = env.str("VWG_WG_COMMAND", default="wg")
#: "auto" puts `sudo -n` before the commands that need rights when the process has none.
VWG_SUDO = env.str("VWG_SUDO", default="auto")
#: "cli" drives the real interface; "memory" is for unit tests only.
VWG_DRIVER = env.str("VWG_DRIVER", default="cli")
#: Seconds one `wg`, `ip` or `nft` call may take before its process group is ended.
VWG_COMMAND_TIMEOUT = env.float("VWG_COMMAND_TIMEOUT", default=5.0)
VWG_ADMIN_PASSWORD = env.str("VWG_ADMIN_PASSWORD", default="")
#: Requests of one web process that may wait for a job's outcome (`Prefer: wait`) at a time.
VWG_MAX_WAITERS = env.int("VWG_MAX_WAITERS", default=8)
#: Requests a minute of one token, and of all of a tenant's together, unless their rows say
#: otherwise; wrong tokens a minute from one address. 0 is no limit.
VWG_TOKEN_REQUESTS = env.int("VWG_TOKEN_REQUESTS_PER_MINUTE", default=6000)
VWG_TENANT_REQUESTS = env.int("VWG_TENANT_REQUESTS_PER_MINUTE", default=12000)
VWG_WRONG_TOKENS = env.int("VWG_WRONG_TOKENS_PER_MINUTE", default=30)

_public = environ.urlparse(VWG_PUBLIC_URL)
_secure = _public.scheme == "https"
ALLOWED_HOSTS = [
    _public.hostname or "localhost",
    *env.list("VWG_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]),
]
CSRF_TRUSTED_ORIGINS = [VWG_PUBLIC_URL]

# -- Applications ---------------------------------------------------------------------------
INSTALLED_APPS = [
    "vwg.apps.VwgConfig",
    "vwg.apps.VwgAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "audit.apps.AuditConfig",
    "tenants.apps.TenantsConfig",
    "rest.apps.RestConfig",
    "gateways.apps.GatewaysConfig",
    "quotas.apps.QuotasConfig",
    "peers.apps.PeersConfig",
    "resellers.apps.ResellersConfig",
    "control.apps.ControlConfig",
    "portal.apps.PortalConfig",
]
MIDDLEWARE = [
    "rest.middleware.bare_heads",
    # What guards an answer stands outside of all that answers, files and refusals included.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rest.middleware.kept_by_nobody",
    "tenants.middleware.behind_the_wall",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.middleware.as_the_reader_likes",
    "portal.middleware.first_things_first",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "vwg.urls"
WSGI_APPLICATION = "vwg.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "portal.context.frame",
            ]
        },
    }
]

# -- Database -------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{VWG_STATE_DIR / 'vwg.sqlite3'}")
#: The web server's own connection, as a role that PostgreSQL shows no row but those of the tenant
#: it acts for (tenants/row_security.py). Unset: the web server is nobody else.
VWG_WEB_DATABASE_URL = env.str("VWG_WEB_DATABASE_URL", default="")
#: On in the web server alone (deploy/gunicorn.conf.py): it connects with the URL above.
VWG_ROW_SECURITY = env.bool("VWG_ROW_SECURITY", default=False) and bool(VWG_WEB_DATABASE_URL)
DATABASES = {
    "default": env.db_url_config(VWG_WEB_DATABASE_URL if VWG_ROW_SECURITY else DATABASE_URL)
}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 600
if _database["ENGINE"].endswith("sqlite3"):
    # What was answered is on the disk; NORMAL may lose the last of it to a power cut, and no order.
    _synchronous = env.str("VWG_SQLITE_SYNCHRONOUS", default="FULL").upper()
    if _synchronous not in ("NORMAL", "FULL", "EXTRA"):
        raise ImproperlyConfigured("VWG_SQLITE_SYNCHRONOUS is NORMAL, FULL or EXTRA")
    # IMMEDIATE: four writers, 1,090 tx/s and no "database is locked"; DEFERRED failed 598 of 1,000.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            f"PRAGMA journal_mode=WAL;PRAGMA synchronous={_synchronous};PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-32000;PRAGMA temp_store=MEMORY;"
        ),
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "connect_timeout": 3,
        # A connection over a network that is gone ends in 15 s, not in hours: a gateway that was
        # cut off dials again when the network is back (unix sockets have no use for these).
        "tcp_user_timeout": 15000,
        "keepalives_idle": 6,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        # For `tenants.prepared` alone: Django's own cursors prepare nothing.
        "prepare_threshold": 0 if env.bool("VWG_PREPARE", default=True) else None,
        "options": f"-c statement_timeout={env.int('VWG_STATEMENT_TIMEOUT_MS', default=15000)}",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: Throttles live in the database, so that they hold while Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "vwg_cache",
        # Django's 300 would throw away counters of sign-in tries while they count.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}

# -- Celery ---------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default=f"redis+socket://{VWG_STATE_DIR / 'redis.sock'}")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_DEFAULT_QUEUE = "control"
CELERY_TASK_QUEUES = [Queue("control"), Queue(f"gateway.{VWG_GATEWAY}")]
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ACKS_LATE = False  # the rows are the truth; the sweep finds what a dead worker dropped
CELERY_TASK_TIME_LIMIT = 120
# None: a worker that was away from Redis for longer finds it overdue before it reads what its
# processes did, signals an idle one, and dies of it (a gateway cut off for 100 s; F28).
CELERY_TASK_SOFT_TIME_LIMIT = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
#: Else Celery closes the database after every task; to open PostgreSQL anew costs 10 ms. Whether a
#: kept connection still serves is asked before each task, as before each request (vwg.celery).
CELERY_DB_REUSE_MAX = 1000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the default gives up after 100
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # above the hard time limit
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,  # above the worker's 1 s poll
    "socket_connect_timeout": 2,
    "health_check_interval": 10,
}
#: A request publishes with these: Redis dead costs 2-3 ms, Redis hung 1 s, once (see outbox).
CELERY_PUBLISH_TRANSPORT_OPTIONS = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.05,
    "interval_max": 0.1,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.05,
    "interval_max": 0.1,
}
VWG_SWEEP_SECONDS = env.float("VWG_SWEEP_SECONDS", default=1.0)
VWG_OBSERVE_SECONDS = env.float("VWG_OBSERVE_SECONDS", default=5.0)
#: Clients close to a limit are cut off by the kernel. "Close" is what the fastest of them could use
#: up within three observations, at so many Mbit/s.
VWG_CUTOFF = env.bool("VWG_CUTOFF", default=True)
VWG_CUTOFF_MBIT = env.int("VWG_CUTOFF_MBIT", default=1000)
VWG_CANARY_SECONDS = env.float("VWG_CANARY_SECONDS", default=10.0)
#: Beat keeps no file: what is due at once runs even where beat is restarted again and again.
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "control.sweep",
        "schedule": VWG_SWEEP_SECONDS,
        "options": {"queue": "control", "expires": 3 * VWG_SWEEP_SECONDS},
    },
    "follow": {
        "task": "control.follow_tenants",
        "schedule": VWG_SWEEP_SECONDS,
        "options": {"queue": "control", "expires": 3 * VWG_SWEEP_SECONDS},
    },
    "due": {
        "task": "control.close_due_holds",
        "schedule": VWG_SWEEP_SECONDS,
        "options": {"queue": "control", "expires": 3 * VWG_SWEEP_SECONDS},
    },
    "pools": {
        "task": "control.settle_pools",
        "schedule": 5 * VWG_SWEEP_SECONDS,
        "options": {"queue": "control", "expires": 15 * VWG_SWEEP_SECONDS},
    },
    "warnings": {
        "task": "control.warn",
        "schedule": timedelta(minutes=1),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 60},
    },
    "ends": {
        "task": "control.end_due",
        "schedule": 5 * VWG_SWEEP_SECONDS,
        "options": {"queue": "control", "expires": 15 * VWG_SWEEP_SECONDS},
    },
    "limits": {
        "task": "control.check_all",
        "schedule": timedelta(minutes=1),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 60},
    },
    "observe": {
        "task": "control.observe_all",
        "schedule": VWG_OBSERVE_SECONDS,
        "options": {"queue": "control", "expires": 2 * VWG_OBSERVE_SECONDS},
    },
    "canary": {
        "task": "control.send_canaries",
        "schedule": VWG_CANARY_SECONDS,
        "last_run_at": _AT_ONCE,  # a start is ready sooner
        "options": {"queue": "control", "expires": 2 * VWG_CANARY_SECONDS},
    },
    "strays": {
        "task": "control.find_strays",
        "schedule": timedelta(minutes=1),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 60},
    },
    "purge": {
        "task": "control.purge",
        "schedule": timedelta(seconds=30),
        "options": {"queue": "control", "expires": 30},
    },
    "prune": {
        "task": "control.prune",
        "schedule": timedelta(minutes=10),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 600},
    },
    "sessions": {
        "task": "control.end_sessions",
        "schedule": timedelta(minutes=1),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 60},
    },
    "rollup": {
        "task": "control.roll_up",
        "schedule": timedelta(minutes=5),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 300},
    },
    "fold": {
        "task": "control.fold",
        "schedule": timedelta(hours=1),
        "last_run_at": _AT_ONCE,
        "options": {"queue": "control", "expires": 3600},
    },
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # in memory: no file to corrupt

# -- REST -----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.authentication.TokenAuthentication",
        "tenants.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.permissions.Scoped"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "vwg.schema.ApiSchema",
    "DEFAULT_PAGINATION_CLASS": "rest.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "vwg.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "vwg",
    "DESCRIPTION": (
        "Clients, devices and plans of a reseller of WireGuard. Authenticate with `Authorization: "
        "Bearer vwg_…`. Refusals are RFC 9457 problems, listed at `/problems/`. Lists are cursors: "
        "follow `next`. Send an `Idempotency-Key` with every POST that must not be done twice, and "
        "`Prefer: wait=N` to be told what became of a change."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "vwg.description.describe",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ClientState": "peers.api.serializers.CLIENT_STATES",
        "PoolCounts": "tenants.models.Tenant.PoolCounts",
        "PoolStops": "tenants.models.Tenant.PoolStops",
        "PoolReset": "tenants.models.Tenant.PoolReset",
        "PlanReset": "quotas.models.Plan.Reset",
        "UsageSpan": "quotas.ranges.BYS",
        "ShareLinkState": "peers.sharing.STATES",
        "JobStatus": "gateways.models.Job.Status",
        "TenantStatus": "tenants.models.Tenant.Status",
        "MemberRole": "tenants.models.Membership.Role",
        "JobKind": "gateways.models.Job.Kind",
        "JobItemOutcome": "gateways.models.JobItem.Status",
        "DeviceStatus": "peers.filters.STATUSES",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# -- Sign-in --------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "tenants.backends.PasswordBackend",
    "tenants.backends.OperatorBackend",
]
ACCOUNT_ADAPTER = "portal.account.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "10/m/ip,3/10m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "10/m/user",
}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # else anybody could have mail sent to anybody
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "vwg: "
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # all other sessions end, this one stays
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True  # past the second factor, where there is one
ACCOUNT_FORMS = {
    "change_password": "portal.account.forms.ChangePasswordForm",
    "reset_password": "portal.account.forms.ForgottenForm",
}
PASSWORD_RESET_TIMEOUT = 24 * 3600
MFA_FORMS = {
    "add_webauthn": "portal.account.forms.AddPasskeyForm",
    "authenticate_webauthn": "portal.account.forms.FactorForm",
    "login_webauthn": "portal.account.forms.PasskeyForm",
    "reauthenticate_webauthn": "portal.account.forms.AgainForm",
}
MFA_ADAPTER = "portal.account.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # accounts are made by others, who know whose address it is
#: Operators get no further than the page where they add one.
VWG_OPERATORS_NEED_SECOND_FACTOR = env.bool("VWG_OPERATORS_NEED_SECOND_FACTOR", default=False)
#: Sign-in by an OpenID Connect provider, for accounts that are here by the same e-mail address.
VWG_OIDC_URL = env.str("VWG_OIDC_URL", default="").rstrip("/")
VWG_OIDC_NAME = env.str("VWG_OIDC_NAME", default="OpenID")
SOCIALACCOUNT_ADAPTER = "portal.account.adapters.OutsideAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": VWG_OIDC_NAME,
                "client_id": env.str("VWG_OIDC_CLIENT_ID", default=""),
                "secret": env.str("VWG_OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": VWG_OIDC_URL},
            }
        ]
        if VWG_OIDC_URL
        else [],
    }
}
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SESSION_COOKIE_NAME = "__Host-vwg-session" if _secure else "vwg-session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = "__Host-vwg-csrf" if _secure else "vwg-csrf"
CSRF_FAILURE_VIEW = "vwg.errors.csrf_failure"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _secure
SECURE_SSL_REDIRECT = _secure and env.bool("VWG_SSL_REDIRECT", default=False)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("VWG_BEHIND_PROXY", default=False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def _origin(url: str) -> list[str]:
    """The scheme and host of a URL, if there is one."""
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if url else []


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        # A sign-in elsewhere begins with a form here, whose answer leads there.
        "form-action": [SELF, *_origin(VWG_OIDC_URL)],
        "frame-ancestors": [NONE],
    }
}

# -- Mail -----------------------------------------------------------------------------------
#: smtp://, smtp+tls:// or smtp+ssl://user:password@host:port; unset: files below the state folder.
VWG_EMAIL_URL = env.str("VWG_EMAIL_URL", default="")
if VWG_EMAIL_URL:
    _mail = env.email_url_config(VWG_EMAIL_URL)
    EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = (
        _mail["EMAIL_BACKEND"], _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
    )  # fmt: skip
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = (
        _mail.get("EMAIL_USE_TLS", False),
        _mail.get("EMAIL_USE_SSL", False),
    )
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(VWG_STATE_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("VWG_EMAIL_FROM", default=f"vwg@{_public.hostname or 'localhost'}")

# -- Languages, time, files -----------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fa", "فارسی")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "vwg-language"
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SECURE = True, _secure
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VWG_STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# -- Logs: the words the founding document greps for ----------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"secret_paths": {"()": "vwg.redaction.SecretPaths"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["secret_paths"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "WireGuard": {"level": LOG_LEVEL},
        "vwg": {"level": LOG_LEVEL},
        "celery.app.trace": {"level": "WARNING" if LOG_LEVEL != "DEBUG" else "INFO"},
        "celery.worker.strategy": {"level": "WARNING" if LOG_LEVEL != "DEBUG" else "INFO"},
        "celery.beat": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
