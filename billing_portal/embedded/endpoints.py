"""Where Postgres and Valkey are: at DATABASE_URL and REDIS_URL, or embedded where those are unset."""

from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from billing_portal.environment import Environment

# Imported by name where they are needed: production's image holds no embedded servers (requirements/base.in).
POSTGRES = "billing_portal.embedded.postgres"
VALKEY = "billing_portal.embedded.valkey"


def database(environment: Environment) -> dict[str, Any]:
    """Django's database entry. Starts the embedded server where DATABASE_URL is unset."""
    url = environment.database_url.get_secret_value()
    return parse(url or import_module(POSTGRES).ensure_running(environment.var_dir / "postgres"))


def redis_url(environment: Environment) -> str:
    """The URL of the broker and cache. Starts the embedded server where REDIS_URL is unset."""
    url = environment.redis_url.get_secret_value()
    return url or str(import_module(VALKEY).ensure_running(environment.var_dir / "valkey"))


def parse(url: str) -> dict[str, Any]:
    """`postgresql://user:password@host:port/name?host=/socket` as Django's database entry."""
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", "") or (parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": parts.port or options.pop("port", ""),
        "OPTIONS": options,
    }
