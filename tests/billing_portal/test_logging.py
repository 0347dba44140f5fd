"""Log lines carry ids, never a secret, a card number, a person's address or an amount (FAULTS M01, N04, N06)."""

import logging
import runpy
from pathlib import Path

import pytest
from django.db import IntegrityError, connection

from billing_portal import logs

ROOT = Path(__file__).resolve().parent.parent.parent


def written(message: str, *arguments: object, exception: BaseException | None = None) -> str:
    """The line that the portal's own logging writes."""
    record = logging.LogRecord("payments", logging.WARNING, __file__, 1, message, arguments, None)
    if exception is not None:
        record.exc_info = (type(exception), exception, exception.__traceback__)
    return logs.MaskingFormatter(logs.LINE).format(record)


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("card 4242424242424242 refused", "4242424242424242"),
        ("card 4242 4242 4242 4242 refused", "4242 4242"),
        ("card 4000-0025-0000-3155 refused", "0025-0000"),
        ("amex 378282246310005.", "378282246310005"),
        ("{'client_secret': 'pi_3Mt_secret_YrKJUKribcBjcG8HVhfZluoGH'}", "YrKJUK"),
        ("intent pi_3Mt_secret_YrKJUKribcBjcG8HVhfZluoGH", "YrKJUK"),
        ("Authorization: Bearer sk_live_51HbCdEf", "51HbCdEf"),
        ("'HTTP_AUTHORIZATION': 'Basic dXNlcjpwYXNzd29yZA=='", "dXNlcjpw"),
        ("Cookie: __Host-session=abcdef; __Host-csrf=ghijkl", "ghijkl"),
        ("{'HTTP_COOKIE': 'session=abcdef; csrf=ghijkl', 'x': 1}", "ghijkl"),
        ("key whsec_a1b2c3d4e5", "a1b2c3d4e5"),
        ("password=hunter2hunter2&next=/", "hunter2"),
        ('{"password": "hunter2 hunter2"}', "hunter2"),
        ("csrfmiddlewaretoken=Ab12Cd34", "Ab12Cd34"),
        ("cvc: 123", "123"),
        ("account_number=000123456789", "000123456789"),
        ("cannot connect to postgresql://portal:s3cr3tword@db/portal", "s3cr3tword"),
        ("Not Found: /accounts/confirm-email/MQ:1abcDE:xyz/", "1abcDE"),
        ("Not Found: /accounts/password/reset/key/4-cabc12-0123456789/", "cabc12"),
        ("mail to alice.rivera+x@example.com bounced", "alice"),
        ("charged $1,234.50 for it", "1,234.50"),
        ("ssn 123-45-6789", "123-45-6789"),
    ],
)
def test_it_masks(line: str, secret: str) -> None:
    """FAULTS M01, N04: whatever the way it came into the line."""
    assert secret in line
    assert secret not in written(line)
    assert secret not in written("%s", line)
    assert secret not in written("failed", exception=ValueError(line))


@pytest.mark.parametrize(
    "line",
    [
        "payment 18254 moved from submitted to succeeded",
        "bill MB-2026-0001842 imported from batch 7",
        "event evt_3MtwBwLkdIwHu7ix28a3tqPa worked off in 12.5 ms",
        "intent pi_3MtwBwLkdIwHu7ix28a3tqPa code=card_declined",
        "transfer 550e8400-e29b-41d4-a716-446655440000 on 2026-11-24 10:58:42",
    ],
)
def test_it_leaves_ids_alone(line: str) -> None:
    """A line that says nothing serves nobody."""
    assert written(line).endswith(f" payments {line}")


@pytest.mark.django_db
def test_a_database_error_does_not_show_the_row() -> None:
    """FAULTS N04: PostgreSQL's DETAIL holds the values."""
    names = {"name": "Rivera"}
    with connection.cursor() as cursor, pytest.raises(IntegrityError) as error:
        cursor.execute("CREATE TEMPORARY TABLE once (name text UNIQUE) ON COMMIT DROP")
        cursor.execute("INSERT INTO once VALUES (%(name)s), (%(name)s)", names)
    assert "Rivera" in str(error.value)
    assert "Rivera" not in written("failed", exception=error.value)


def test_every_handler_masks() -> None:
    """No logger of the process writes by another way."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    names = {"celery", "django", "django.server", "gunicorn.error", "stripe", ""}
    handlers = [handler for logger in loggers if logger.name in names | {"root"} for handler in logger.handlers]
    ours = [handler for handler in handlers if type(handler) is logging.StreamHandler]
    assert all(isinstance(handler.formatter, logs.MaskingFormatter) for handler in ours)
    assert any(isinstance(handler.formatter, logs.MaskingFormatter) for handler in logging.getLogger().handlers)


def test_gunicorn_masks_too() -> None:
    """What the server itself has to say about a request goes the same way."""
    configuration = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["logconfig_dict"]
    assert configuration["formatters"]["line"]["()"] is logs.MaskingFormatter
    assert configuration["root"]["handlers"] == ["console"]
    assert configuration["loggers"]["gunicorn.error"]["handlers"] == []
