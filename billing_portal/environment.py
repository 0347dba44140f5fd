"""What the portal reads from its environment: one typed record, read once. Each variable stands in docs/settings.md.

A secret may come from a file: `NAME_FILE=/run/secrets/name` serves as `NAME`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent

# What follows "PREFIX* " on a card's statement: the prefix may have 10 characters and all of it 22, < > \ ' " *
# are refused, and a letter must be in it (docs.stripe.com/get-started/account/statement-descriptors).
DESCRIPTOR_SUFFIX = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9.,&+/-](?:[A-Za-z0-9 .,&+/-]{0,8}[A-Za-z0-9.,&+/-])?")

# What `make demo` chose (ports, the sandbox's keys), for every other command that runs in the demo.
DEMO_FILE = "environment"
DEMO_PASSWORD = "meridian-demo"  # noqa: S105  # the demo's stated password, refused outside the demo


class Environment(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(extra="ignore", case_sensitive=False)

    portal_environment: Literal["production", "demo", "test"] = "production"
    portal_name: str = "Meridian Health"
    portal_url: str = "http://127.0.0.1:8000"
    allowed_hosts: str = ""
    secret_key: SecretStr = SecretStr("")
    secret_key_fallbacks: SecretStr = SecretStr("")
    time_zone: str = "America/Los_Angeles"
    var_dir: Path = Field(default_factory=lambda given: _var_dir(given["portal_environment"]))

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_publishable_key: str = ""
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_webhook_secret_previous: SecretStr = SecretStr("")
    stripe_api_base: str = "https://api.stripe.com"
    stripe_js_url: str = "https://js.stripe.com/v3/"
    stripe_timeout_seconds: float = 10.0
    stripe_descriptor_medical: str = "MEDICAL"
    stripe_descriptor_premium: str = "PREMIUM"

    schedule_days_ahead: int = Field(default=60, ge=1, le=365)
    schedule_cut_off_hours: int = Field(default=0, ge=0, le=72)

    autopay_per_second: float = Field(default=20, gt=0, le=1000)
    autopay_threads: int = Field(default=48, ge=1, le=128)

    refund_second_person_cents: int = 50_000
    return_fees: dict[str, dict[str, int | str]] = Field(default={})

    email_host: str = "127.0.0.1"
    email_port: int = 25
    email_host_user: str = ""
    email_host_password: SecretStr = SecretStr("")
    email_use_tls: bool = True
    default_from_email: str = "billing@localhost"
    email_backend: str = "django.core.mail.backends.smtp.EmailBackend"
    anymail: SecretStr = SecretStr("")
    email_per_second: float = Field(default=0, ge=0, le=1000)
    mail_webhook_secret: SecretStr = SecretStr("")
    sms_backend: str = ""
    sms_webhook_secret: SecretStr = SecretStr("")
    clamav_address: str = ""

    secure_proxy_ssl_header: bool = False
    trusted_proxies: int = 0
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"
    csp_report_uri: str = ""

    guest_pay_facts: str = "bill_number,birth_date"
    guest_pay_lookups_an_hour: int = Field(default=400, ge=1)
    guest_pay_charges_an_hour: int = Field(default=300, ge=1)
    guest_pay_min_cents: int = Field(default=500, ge=50)
    guest_link_days: int = Field(default=60, ge=1, le=365)

    support_phone: str = "1-800-555-0100"
    support_tty: str = "711"
    support_hours: str = "Monday to Friday, 8 a.m. to 6 p.m."
    support_languages: str = "English and Spanish; interpreters for other languages at no cost"
    support_answer_days: int = Field(default=2, ge=1, le=30)

    @field_validator("stripe_descriptor_medical", "stripe_descriptor_premium")
    @classmethod
    def _is_a_descriptor_suffix(cls, value: str) -> str:
        if not DESCRIPTOR_SUFFIX.fullmatch(value):
            raise ValueError("1 to 10 Latin letters, digits and . , - & + / or spaces, at least one of them a letter")
        return value

    @model_validator(mode="after")
    def _has_two_descriptors(self) -> Self:
        if self.stripe_descriptor_medical.upper() == self.stripe_descriptor_premium.upper():
            raise ValueError("STRIPE_DESCRIPTOR_MEDICAL and STRIPE_DESCRIPTOR_PREMIUM must differ")
        return self

    @property
    def is_production(self) -> bool:
        """Whether the walls of a real installation stand (everything but the demo and the tests)."""
        return self.portal_environment == "production"

    @property
    def is_demo(self) -> bool:
        """Whether the demo's relaxations hold: fixed passwords, no second factor for staff, a banner."""
        return self.portal_environment == "demo"


class SecretFileMissing(Exception):  # noqa: N818
    """A variable names a file that cannot be read."""


def read() -> Environment:
    """Read the environment; every `NAME_FILE` gives `NAME` where that is not set itself.

    Raises SecretFileMissing, or pydantic.ValidationError, naming the variable, where a value is not of its type.
    """
    given = dict(_from_files())
    if os.environ.get("PORTAL_ENVIRONMENT") == "demo":
        demo_file = Path(os.environ.get("VAR_DIR") or _var_dir("demo")) / DEMO_FILE
        return Environment(_env_file=demo_file, **given)  # type: ignore[call-arg]  # pydantic-settings takes it
    return Environment(**given)


def _from_files() -> Iterator[tuple[str, Any]]:
    for name in Environment.model_fields:
        path = os.environ.get(f"{name.upper()}_FILE")
        if path and name.upper() not in os.environ:
            try:
                yield name, Path(path).read_text().strip()
            except OSError as error:
                raise SecretFileMissing(f"{name.upper()}_FILE: {path} cannot be read ({error.strerror})") from error


def _var_dir(portal_environment: str) -> Path:
    return BASE_DIR / "var" if portal_environment == "production" else BASE_DIR / "var" / portal_environment


def origin(url: str) -> str:
    """Scheme, host and port of a URL, as a content security policy names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
