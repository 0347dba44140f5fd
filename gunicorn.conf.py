"""How gunicorn serves the portal. WEB_CONCURRENCY (processes) and WEB_THREADS (threads each) size it."""

import gc
import os
from pathlib import Path

from billing_portal import logs

wsgi_app = "billing_portal.wsgi:application"
bind = "0.0.0.0:8000"  # the container's own network; the proxy before it ends TLS
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
preload_app = True
# A request may wait for Stripe (10 s, once retried); what hangs longer is ended.
timeout = 40
graceful_timeout = 30
keepalive = 75  # longer than the usual 60 s of a load balancer, so that it never sends into a closed connection
max_requests = 10_000
max_requests_jitter = 1_000
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # heartbeats in memory, not on a disk
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
limit_request_line = 4096
limit_request_fields = 60
limit_request_field_size = 8190
accesslog = None  # the proxy before it logs requests; addresses of pages stay out of ours
logconfig_dict = logs.configuration("WARNING")
control_socket_disable = True


def when_ready(server: object) -> None:
    """What was loaded stays as long as the process: the workers share its memory, and no collection walks it."""
    gc.collect()
    gc.freeze()
