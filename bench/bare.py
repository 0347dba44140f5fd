"""The portal and, past all of its middleware, the yardsticks of `webhooks`: Django views that do the least."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.test.utils import override_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.serving_settings")

_portal = get_wsgi_application()
with override_settings(MIDDLEWARE=[]):
    _bare = WSGIHandler()


def application(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve the yardsticks bare, and the portal as ever."""
    handler = _bare if environment["PATH_INFO"].startswith("/bare/") else _portal
    return handler(environment, start_response)
