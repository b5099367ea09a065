"""The web server, for `make up` and for the systemd unit."""

import gc
import os
from typing import Any

# Before the settings are read: this process, and no other, stands behind row-level security.
os.environ.setdefault("VWG_ROW_SECURITY", "1")

from vwg.settings import VWG_BIND, VWG_MAX_WAITERS

bind = VWG_BIND
#: Threads, each lent to a request that arrives in time.
worker_class = "deploy.web_worker.PatientWorker"
#: Two processes, so that one may restart while the other serves.
workers = 2
#: Requests that wait for a job (`Prefer: wait`) may fill VWG_MAX_WAITERS threads, never all.
threads = VWG_MAX_WAITERS + 8
#: Shared pages: the second process costs its own heap only.
preload_app = True
timeout = 60
graceful_timeout = 5
keepalive = 5
#: Several filters of 255 characters, escaped.
limit_request_line = 8190
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm"  # noqa: S108  the heartbeat file must not wait for a disk
control_socket_disable = True
accesslog = None
errorlog = "-"


def post_fork(server: Any, worker: Any) -> None:
    """Leave what was loaded before the fork out of every later collection.

    It stays shared between the processes, and no request pays for walking through it.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
