"""What the sandbox is told at start, and what may be changed while it runs (`POST /_sandbox/settings`)."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar


@dataclass(slots=True)
class Settings:
    """Durations are in seconds of the sandbox's own clock, amounts in cents, latency in real milliseconds."""

    host: str = "127.0.0.1"
    port: int = 12111
    data: Path | None = None
    public_url: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    secret_key_prefix: str = "sk_test_sandbox"
    publishable_key_prefix: str = "pk_test"
    latency_ms: int = 0
    hang_seconds: float = 90.0
    rate_limit_per_second: int = 0
    bank_debit_delay_seconds: float = 4.0
    refund_delay_seconds: float = 3.0
    dispute_delay_seconds: float = 1.0
    card_available_after_seconds: int = 2 * 86400
    bank_available_after_seconds: int = 4 * 86400
    dispute_fee_cents: int = 1500
    webhook_timeout_seconds: float = 10.0
    webhook_give_up_seconds: int = 3 * 86400
    webhook_concurrency: int = 16
    signature_time: str = "real"
    statement_descriptor: str = "HEALTH PLAN"

    FIXED_AT_START: ClassVar[tuple[str, ...]] = ("host", "port", "data", "public_url")

    @property
    def base_url(self) -> str:
        """The address the browser reaches the sandbox at."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def change(self, changes: dict[str, Any]) -> None:
        """Sets the named settings; raises ValueError for a name or a type that does not exist."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in changes.items():
            if name not in known or name in self.FIXED_AT_START:
                raise ValueError(f"No such setting: {name}")
            wanted = known[name]
            given = float(value) if wanted is float and type(value) is int else value
            if type(given) is not wanted:
                raise ValueError(f"{name} must be {wanted.__name__}")
            setattr(self, name, given)

    def shown(self) -> dict[str, Any]:
        """All settings, for reading back; the webhook secret is left out."""
        values = asdict(self)
        values["data"] = str(self.data) if self.data else None
        del values["webhook_secret"]
        return values
