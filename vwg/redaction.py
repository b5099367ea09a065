"""What must not reach a log: the secret in the address of a share link."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

_SECRET: Final = re.compile(r"/s/[^/\s?#'\"]+")


class SecretPaths(logging.Filter):
    """Takes the secret out of ``/s/<secret>`` in a record's text and arguments (I9)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _clean(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_clean(value) for value in record.args)
        return True


def _clean(value: Any) -> Any:
    if isinstance(value, str) and "/s/" in value:
        return _SECRET.sub("/s/…", value)
    return value
