"""The provider's stand-in as the plan commands it: over HTTP, with nothing of the portal's."""

from typing import Any

import requests

from tests.faults.rig import SECRET_KEY


class Provider:
    """The sandbox's commands, and what a browser would ask of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def post(self, name: str, **body: Any) -> dict[str, Any]:
        """A command."""
        return self._checked(self.session.post(f"{self.url}/_sandbox/{name}", json=body, timeout=60))

    def get(self, name: str) -> dict[str, Any]:
        """A question."""
        return self._checked(self.session.get(f"{self.url}/_sandbox/{name}", timeout=60))

    def token(self, method: str) -> str:
        """A confirmation token, as the browser would make it from a test card or account."""
        answer = self.session.post(
            f"{self.url}/v1/test_helpers/confirmation_tokens", auth=(SECRET_KEY, ""), timeout=10,
            data={"payment_method": method, "return_url": "http://127.0.0.1/"},
        )  # fmt: skip
        return str(self._checked(answer)["id"])

    def fault(self, effect: str, *, path: str, value: Any = None, times: int = 1, **match: Any) -> None:
        """Plan a fault for the next calls of POST to `path`."""
        found = {"method": "POST", "path": path, **match}
        self.post("faults", match=found, effect=effect, value=value, times=times)

    def forget_faults(self) -> int:
        """Take back what was planned; how often it has happened."""
        fired = sum(fault["fired"] for fault in self.get("faults")["data"])
        self._checked(self.session.delete(f"{self.url}/_sandbox/faults", timeout=60))
        return fired

    def road(self, **changes: Any) -> None:
        """Change how webhooks go; without a change they go as they should."""
        plain = {"copies": 1, "delay_seconds": 0, "hold": 0, "order": "kept", "drop_next": 0, "drop_types": []}
        self.post("webhooks", **(plain | {"down": False} | changes))

    def back_to_real_time(self) -> None:
        """Take back what the clock was put forward."""
        self.post("clock/freeze")
        self.post("clock/freeze", at=None)

    @staticmethod
    def _checked(answer: requests.Response) -> dict[str, Any]:
        answer.raise_for_status()
        return answer.json()
