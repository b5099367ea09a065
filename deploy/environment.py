"""The `.env` file: made once with fresh secrets, never changed afterwards."""

import base64
import os
import secrets
from pathlib import Path

_TEXT = """\
# Made by `make up`; read by vwg/settings.py. Keep a copy: without VWG_ENCRYPTION_KEYS the private
# keys in the database cannot be read again.
SECRET_KEY={secret}
VWG_ENCRYPTION_KEYS={key_id}:{key}
"""


def environment_path(root: Path) -> Path:
    """The file that vwg/settings.py reads for the checkout at ``root``."""
    return Path(os.environ.get("VWG_ENV_FILE") or root / ".env")


def ensure_environment(path: Path) -> bool:
    """Write fresh secrets to ``path`` (0600, whole or not at all); False when it is there already.

    Raises OSError when the file cannot be written.
    """
    if path.exists():
        return False
    text = _TEXT.format(
        secret=secrets.token_urlsafe(48),
        key_id=f"k{secrets.token_hex(3)}",
        key=base64.b64encode(secrets.token_bytes(32)).decode(),
    )
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, never replaces a file that came meanwhile
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
