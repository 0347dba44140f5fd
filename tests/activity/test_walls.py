"""What happened and who looked stay as they were written, whoever asks (FAULTS N02)."""

import pytest
from django.db import IntegrityError, connection, transaction

from activity.models import Event
from activity.recording import looked, record
from tests.conftest import Cast


def refused(sql: str) -> None:
    """Run the statement; the database must refuse it."""
    connection.check_constraints()  # a TRUNCATE does not wait for deferred foreign keys: it fails on them
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE activity_event SET kind = 'other'",
        "UPDATE activity_event SET data = '{\"cents\": 1}'",
        "UPDATE activity_event SET processed_at = now(), actor = 'nobody'",
        "DELETE FROM activity_event",
        "TRUNCATE activity_event",
    ],
)
def test_an_event_is_never_changed_or_removed(db: None, sql: str) -> None:
    """FAULTS N02, M12."""
    record("bill.issued", subject="bill:TEST", actor="system")
    refused(sql)


def test_an_event_is_marked_processed_once(db: None) -> None:
    """The outbox's mark is the one thing that may be written, and it stays."""
    event = record("bill.issued", subject="bill:TEST", actor="system")
    assert Event.objects.filter(pk=event.pk).update(processed_at="2026-11-24T00:00:00Z") == 1
    refused("UPDATE activity_event SET processed_at = NULL")
    refused("UPDATE activity_event SET processed_at = now()")


@pytest.mark.parametrize(
    "sql",
    ["UPDATE activity_access SET reason = 'another'", "DELETE FROM activity_access", "TRUNCATE activity_access"],
)
def test_who_looked_is_never_changed_or_removed(cast: Cast, sql: str) -> None:
    """FAULTS N02, M13."""
    looked(user_id=cast.dana.pk, subject="bill:TEST", action="view")
    refused(sql)


def test_no_setting_of_the_session_opens_the_walls(db: None) -> None:
    """FAULTS N02: see tests/ledger/test_walls.py."""
    record("bill.issued", subject="bill:TEST", actor="system")
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(tgname) FROM pg_trigger WHERE NOT tgisinternal")
        names = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(names) + "}"])
    refused("DELETE FROM activity_event")
