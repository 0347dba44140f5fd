"""Production refuses to start on weak settings, and says which and how to mend them (FAULTS N07)."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from billing_portal import walls
from billing_portal.environment import DEMO_PASSWORD, Environment
from tests import production


def environment(**changes: str) -> Environment:
    """Production's settings with `changes`, whatever the process itself was given."""
    values = {name.lower(): value for name, value in production.ENVIRONMENT.items()} | {
        "secret_key_fallbacks": "",
        "stripe_webhook_secret_previous": "",
        "stripe_api_base": "https://api.stripe.com",
        "stripe_js_url": "https://js.stripe.com/v3/",
        "email_host_password": "",
        "email_use_tls": "true",
    }
    return Environment(**(values | changes))  # type: ignore[arg-type]


def test_it_starts_on_settings_that_are_in_order() -> None:
    """The base from which each weak setting below departs."""
    assert walls.refuse_weak(environment()) is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"secret_key": ""}, "SECRET_KEY must be set"),
        ({"secret_key": "short-0aB1cD2eF3gH4iJ5kL6"}, "SECRET_KEY must be set"),
        ({"secret_key": "a" * 80}, "SECRET_KEY must be set"),
        ({"secret_key": "django-insecure-0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3"}, "SECRET_KEY must be set"),
        ({"secret_key": walls.THROWAWAY_KEY}, "SECRET_KEY must be set"),
        ({"secret_key_fallbacks": "weak"}, "SECRET_KEY_FALLBACKS"),
        ({"database_url": f"postgresql://portal:{DEMO_PASSWORD}@db/portal"}, "the demo's password"),
        ({"allowed_hosts": ""}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": "*"}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": "billing.health-plan.org,*"}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": "billing.health-plan.org, .health-plan.org"}, "ALLOWED_HOSTS"),
        ({"portal_url": "http://billing.health-plan.org"}, "PORTAL_URL must begin with https://"),
        ({"portal_url": "https://other.org"}, "PORTAL_URL's host"),
        ({"database_url": ""}, "DATABASE_URL must be set"),
        ({"redis_url": ""}, "REDIS_URL must be set"),
        ({"trusted_proxies": "-1"}, "TRUSTED_PROXIES must not be negative"),
        ({"secure_proxy_ssl_header": "true"}, "TRUSTED_PROXIES must be 1 or more"),
        ({"stripe_secret_key": "sk_test_123"}, "STRIPE_SECRET_KEY must be a live key"),
        ({"stripe_secret_key": ""}, "STRIPE_SECRET_KEY must be a live key"),
        ({"stripe_publishable_key": "pk_test_123"}, "STRIPE_PUBLISHABLE_KEY"),
        ({"stripe_webhook_secret": ""}, "STRIPE_WEBHOOK_SECRET must be set"),
        ({"stripe_webhook_secret": "whsec_"}, "STRIPE_WEBHOOK_SECRET must be set"),
        ({"stripe_webhook_secret_previous": "other"}, "STRIPE_WEBHOOK_SECRET_PREVIOUS"),
        ({"stripe_api_base": "http://127.0.0.1:12111"}, "STRIPE_API_BASE"),
        ({"stripe_js_url": "https://js.stripe.com.evil.org/v3/"}, "STRIPE_JS_URL"),
        ({"email_use_tls": "false"}, "EMAIL_USE_TLS"),
        ({"default_from_email": "billing@localhost"}, "DEFAULT_FROM_EMAIL"),
    ],
)
def test_it_refuses_each_weak_setting_in_production(changes: dict[str, str], named: str) -> None:
    """FAULTS N07: the refusal names the setting, and no other, and never its value."""
    with pytest.raises(ImproperlyConfigured, match=re.escape(named)) as refusal:
        walls.refuse_weak(environment(**changes))
    assert str(refusal.value).count("\n- ") == 1
    assert not any(value and value in str(refusal.value) for value in changes.values() if len(value) > 12)


@pytest.mark.parametrize("kind", ["demo", "test"])
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"stripe_secret_key": "sk_live_123"}, "live Stripe key"),
        ({"stripe_secret_key": "rk_live_123"}, "live Stripe key"),
        ({"stripe_publishable_key": "pk_live_123"}, "live Stripe key"),
        ({"database_url": "postgresql://portal:127.0.0.1@database.plan.org/portal"}, "DATABASE_URL"),
        ({"redis_url": "redis://redis.plan.org/0"}, "REDIS_URL"),
        ({"email_host": "mail.plan.org"}, "EMAIL_HOST"),
        ({"portal_url": "https://billing.plan.org"}, "PORTAL_URL"),
        ({"allowed_hosts": "127.0.0.1,billing.plan.org"}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": "*"}, "ALLOWED_HOSTS"),
    ],
)
def test_the_relaxed_kinds_cannot_reach_anything_real(kind: str, changes: dict[str, str], named: str) -> None:
    """The demo's fixed passwords open nothing but the demo's own data (FAULTS N07)."""
    here = {
        "portal_environment": kind,
        "portal_url": "http://127.0.0.1:8000",
        "allowed_hosts": "127.0.0.1, localhost",
        "database_url": "postgresql://postgres:@/postgres?host=/var/run",
        "redis_url": "redis://127.0.0.1:6379/0",
        "stripe_secret_key": "sk_test_sandbox_demo",
        "stripe_publishable_key": "pk_test_sandbox_demo",
        "email_host": "127.0.0.1",
    }
    assert walls.refuse_weak(environment(**here)) is None
    with pytest.raises(ImproperlyConfigured, match=named):
        walls.refuse_weak(environment(**(here | changes)))


@pytest.mark.slow
def test_a_process_on_weak_settings_ends_before_it_serves() -> None:
    """FAULTS N07, through the door that gunicorn uses."""
    weak = production.python("-c", "import billing_portal.wsgi", SECRET_KEY="", ALLOWED_HOSTS="*")
    assert weak.returncode != 0
    assert "SECRET_KEY must be set" in weak.stderr
    assert "ALLOWED_HOSTS" in weak.stderr
    strong = production.python("-c", "import billing_portal.wsgi; print('serves')")
    assert strong.stdout.strip() == "serves", strong.stderr


def test_the_demo_is_never_the_default() -> None:
    """What is not told what it is, is production, and has production's walls."""
    assert Environment.model_fields["portal_environment"].default == "production"


def test_debug_cannot_be_switched_on() -> None:
    """FAULTS M14, N07: no variable leads to DEBUG."""
    assert "debug" not in " ".join(Environment.model_fields)
    switched = production.python(
        "-c", "from django.conf import settings; print(settings.DEBUG)",
        DEBUG="1", DJANGO_DEBUG="True", DJANGO_SETTINGS_MODULE="billing_portal.settings",
    )  # fmt: skip
    assert switched.stdout.strip() == "False", switched.stderr


@pytest.mark.slow
def test_the_demo_s_people_are_not_made_in_production() -> None:
    """N07: known passwords open nothing there. The refusal comes before the database is asked."""
    process = production.python("manage.py", "seed_demo")
    assert process.returncode != 0
    assert "demo" in process.stderr
    assert "database.invalid" not in process.stderr
