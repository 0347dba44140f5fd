"""The portal's settings, with the yardsticks' routes beside its own."""

from billing_portal.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare_urls"
