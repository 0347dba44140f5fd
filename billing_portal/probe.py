"""The container's own health check: whether its web process answers. `python -m billing_portal.probe`"""

import sys
from urllib.parse import urlsplit

import requests

from billing_portal import environment

ADDRESS = "http://127.0.0.1:8000/health/live"
TIMEOUT_SECONDS = 3


def probe() -> int:
    """0 where the process answers, under the portal's own name since it knows no other; else 1."""
    host = urlsplit(environment.read().portal_url).netloc
    try:
        answer = requests.get(ADDRESS, headers={"Host": host}, timeout=TIMEOUT_SECONDS)
    except requests.RequestException:
        return 1
    return 0 if answer.status_code == 200 else 1


if __name__ == "__main__":
    sys.exit(probe())
