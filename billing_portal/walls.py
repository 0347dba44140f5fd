"""Settings under which the portal refuses to start (FAULTS N07)."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from billing_portal.embedded import endpoints
from billing_portal.environment import DEMO_PASSWORD, Environment

THROWAWAY_KEY = "demo-and-test-only-never-in-production-0123456789abcdef"  # noqa: S105
SHORTEST_SECRET_KEY = 50
FEWEST_DIFFERENT_CHARACTERS = 10
# Words of examples and templates; a secret that holds one was never chosen.
PLACEHOLDERS = ("django-insecure", "change-me", "changeme", "example", "placeholder", "your-secret", THROWAWAY_KEY)
GUEST_FACTS = frozenset({"birth_date", "zip", "last_name"})
THIS_MACHINE = ("", "127.0.0.1", "localhost", "::1")


def refuse_weak(environment: Environment) -> None:
    """Raise ImproperlyConfigured, naming every weak setting and its cure, where the portal must not start."""
    faults = _production(environment) if environment.is_production else _relaxed(environment)
    faults += _guest_pay(environment)
    if faults:
        raise ImproperlyConfigured("The portal does not start on these settings:\n- " + "\n- ".join(faults))


def _guest_pay(environment: Environment) -> list[str]:
    """A guest names a bill by its number and something else that a stranger does not know."""
    facts = [fact.strip() for fact in environment.guest_pay_facts.split(",") if fact.strip()]
    others = set(facts) - {"bill_number"}
    if "bill_number" in facts and others and others <= GUEST_FACTS:
        return []
    named = ", ".join(sorted(GUEST_FACTS))
    return [f"GUEST_PAY_FACTS must name bill_number and one or more of {named}"]


def _production(environment: Environment) -> list[str]:
    return _keys(environment) + _addresses(environment) + _stripe(environment) + _mail(environment)


def _keys(environment: Environment) -> list[str]:
    fallbacks = environment.secret_key_fallbacks.get_secret_value()
    secrets = [
        environment.database_url,
        environment.redis_url,
        environment.email_host_password,
        environment.stripe_webhook_secret,
    ]
    checks = {
        f"SECRET_KEY must be set, secret, and at least {SHORTEST_SECRET_KEY} characters long": _is_strong(
            environment.secret_key.get_secret_value()
        ),
        f"SECRET_KEY_FALLBACKS must each be at least {SHORTEST_SECRET_KEY} characters long": all(
            _is_strong(key) for key in fallbacks.split(",") if key
        ),
        "the demo's password must be nowhere: it is known to everybody": not any(
            DEMO_PASSWORD in secret.get_secret_value() for secret in secrets
        ),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _addresses(environment: Environment) -> list[str]:
    hosts = [host.strip() for host in environment.allowed_hosts.split(",") if host.strip()]
    checks = {
        "ALLOWED_HOSTS must name the portal's hosts in full; nothing, * and .domain are refused": bool(hosts)
        and not any("*" in host or host.startswith(".") for host in hosts),
        "PORTAL_URL must begin with https://": environment.portal_url.startswith("https://"),
        "PORTAL_URL's host must be one of ALLOWED_HOSTS": not hosts
        or "*" in hosts
        or urlsplit(environment.portal_url).hostname in hosts,
        "DATABASE_URL must be set: production does not run on the embedded database": bool(
            environment.database_url.get_secret_value()
        ),
        "REDIS_URL must be set: production does not run on the embedded Valkey": bool(
            environment.redis_url.get_secret_value()
        ),
        "TRUSTED_PROXIES must not be negative": environment.trusted_proxies >= 0,
        "TRUSTED_PROXIES must be 1 or more where SECURE_PROXY_SSL_HEADER is on: the one who ends TLS is a proxy": (
            environment.trusted_proxies >= 1 or not environment.secure_proxy_ssl_header
        ),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _stripe(environment: Environment) -> list[str]:
    secret_key = environment.stripe_secret_key.get_secret_value()
    webhook_secrets = [environment.stripe_webhook_secret, environment.stripe_webhook_secret_previous]
    current, previous = (secret.get_secret_value() for secret in webhook_secrets)
    checks = {
        "STRIPE_SECRET_KEY must be a live key (sk_live_… or rk_live_…)": secret_key.startswith(
            ("sk_live_", "rk_live_")
        ),
        "STRIPE_PUBLISHABLE_KEY must be a live key (pk_live_…)": environment.stripe_publishable_key.startswith(
            "pk_live_"
        ),
        "STRIPE_WEBHOOK_SECRET must be set (whsec_…)": current.startswith("whsec_") and len(current) > len("whsec_"),
        "STRIPE_WEBHOOK_SECRET_PREVIOUS must be empty or begin with whsec_": not previous
        or previous.startswith("whsec_"),
        "STRIPE_API_BASE and STRIPE_JS_URL must be Stripe's own (https)": (
            environment.stripe_api_base == "https://api.stripe.com"
            and environment.stripe_js_url.startswith("https://js.stripe.com/")
        ),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _mail(environment: Environment) -> list[str]:
    checks = {
        "EMAIL_USE_TLS must not be off: mail is not sent in clear": environment.email_use_tls,
        "DEFAULT_FROM_EMAIL must be the portal's own address": not environment.default_from_email.endswith("localhost"),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _is_strong(key: str) -> bool:
    return (
        len(key) >= SHORTEST_SECRET_KEY
        and len(set(key)) >= FEWEST_DIFFERENT_CHARACTERS
        and not any(word in key.lower() for word in PLACEHOLDERS)
    )


def _relaxed(environment: Environment) -> list[str]:
    """The demo and the tests must not be able to touch real money, real mail or a real database."""
    keys = (environment.stripe_secret_key.get_secret_value(), environment.stripe_publishable_key)
    database_url = environment.database_url.get_secret_value()
    database_host = endpoints.parse(database_url)["HOST"] if database_url else ""
    checks = {
        "a live Stripe key is refused outside production": not any("_live_" in key for key in keys),
        "DATABASE_URL must be on this machine outside production": _is_here(database_host),
        "REDIS_URL must be on this machine outside production": _is_here(
            urlsplit(environment.redis_url.get_secret_value()).hostname or ""
        ),
        "EMAIL_HOST must be on this machine outside production": _is_here(environment.email_host),
        "ALLOWED_HOSTS must name this machine alone outside production": all(
            _is_here(host.strip()) for host in environment.allowed_hosts.split(",")
        ),
        "PORTAL_URL must be on this machine outside production": _is_here(
            urlsplit(environment.portal_url).hostname or ""
        ),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _is_here(host: str) -> bool:
    return host in THIS_MACHINE or host.startswith("/")
