"""Mail to people about their accounts: sent behind the answer, one after the other.

What is lost when the process ends, its reader asks for again.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage

logger = logging.getLogger("vwg.mail")

_SENDER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def send(message: EmailMessage) -> Future[None]:
    """Send it soon. That it could not be sent is logged, without its text or address."""
    return _SENDER.submit(_send, message)


def settle() -> None:
    """Wait until everything that was handed over has been tried."""
    _SENDER.submit(int).result(timeout=30)


def _send(message: EmailMessage) -> None:
    try:
        if settings.EMAIL_FILE_PATH:  # no mail server: links to passwords lie there
            Path(settings.EMAIL_FILE_PATH).mkdir(mode=0o700, parents=True, exist_ok=True)
        message.send()
    except OSError as error:  # smtplib's errors are of this kind
        logger.error("a mail could not be sent: %s", type(error).__name__)
