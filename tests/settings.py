"""Settings of the tests: secrets of their own, a database of their own, no broker."""

import base64
import os
import tempfile

os.environ.setdefault("VWG_ENV_FILE", "/dev/null")
os.environ.setdefault("SECRET_KEY", base64.b64encode(os.urandom(48)).decode())
os.environ.setdefault("VWG_ENCRYPTION_KEYS", f"t1:{base64.b64encode(os.urandom(32)).decode()}")
os.environ.setdefault("VWG_STATE_DIR", tempfile.mkdtemp(prefix="vwg-tests-"))
os.environ.setdefault("VWG_DRIVER", "memory")
os.environ.setdefault("VWG_SQLITE_SYNCHRONOUS", "NORMAL")  # this data is thrown away
os.environ.setdefault("VWG_ENDPOINT", "203.0.113.10")
os.environ.setdefault("REDIS_URL", f"redis+socket://{os.environ['VWG_STATE_DIR']}/none.sock")

from vwg.settings import *  # noqa: F403

# Tests reuse tokens' ids within a minute; those of the limits set them.
VWG_TOKEN_REQUESTS = VWG_TENANT_REQUESTS = VWG_WRONG_TOKENS = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# WhiteNoise warns about a folder that is not there.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
# A file, not shared memory: only a file has the locks that two threads meet in production.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(VWG_STATE_DIR / "test.sqlite3")}  # noqa: F405
elif os.environ.get("VWG_TEST_TEMPLATES"):  # `make test` has migrated one for all
    DATABASES["default"]["TEST"] = {"TEMPLATE": "vwg_template"}  # noqa: F405
