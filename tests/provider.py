"""The payment provider for tests: a sandbox process of the run's own, empty at the start of each test that asks."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from tests.stripe_sandbox.conftest import DEFAULTS, Server, start, stop


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Server]:
    """The process, started once."""
    server = start()
    yield server
    stop(server)


@pytest.fixture
def provider(provider_process: Server, settings: Settings) -> Server:
    """The provider as the portal sees it, with nothing in it and no faults planned."""
    provider_process.post("reset")
    provider_process.post("settings", **DEFAULTS)
    provider_process.post("webhooks", url="", secret=django_settings.STRIPE_WEBHOOK_SECRETS[0])
    settings.STRIPE_API_BASE = provider_process.url
    settings.STRIPE_TIMEOUT_SECONDS = 1.0
    return provider_process
