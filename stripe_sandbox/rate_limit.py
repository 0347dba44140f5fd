"""Stripe's rate limiter, when switched on: so many calls a second, each endpoint for itself
(docs.stripe.com/rate-limits: 25 a second for an endpoint in test mode)."""

import time

from stripe_sandbox.settings import Settings


class RateLimit:
    """A window of one real second for each method and resource."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._windows: dict[str, tuple[int, int]] = {}

    def exceeded(self, method: str, path: str) -> bool:
        """Counts a call; true when it is beyond the limit."""
        limit = self.settings.rate_limit_per_second
        if not limit:
            return False
        second = int(time.monotonic())
        name = f"{method} {'/'.join(path.split('/')[:3])}"
        started, count = self._windows.get(name, (second, 0))
        count = count + 1 if started == second else 1
        self._windows[name] = (second, count)
        return count > limit
