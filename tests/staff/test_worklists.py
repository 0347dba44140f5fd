"""What waits for staff: what is open first, what is late said loudly, and how long it has waited as a chart."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.roles import Role
from assistance.models import Application
from bills.models import ImportReject
from tests.staff.conftest import Records

APPLICATIONS = "/admin/assistance/application/"
REJECTS = "/admin/bills/importreject/"
NOW = timezone.now()


@pytest.fixture
def applications(records: Records) -> dict[str, Application]:
    """One in each state; those that are pending submitted four days ago, to be decided by yesterday."""
    cast, made = records.cast, {"approved": Application.objects.get()}
    today = timezone.localdate()
    for place, (status, user) in enumerate(
        [
            ("submitted", cast.alice.user), ("missing", cast.bob.user), ("appealed", cast.charlie.user),
            ("denied", cast.charlie.user), ("draft", cast.dana),
        ]
    ):  # fmt: skip
        made[status] = Application.objects.create(
            number=f"APPL-100{place}", household=cast.strangers, applicant=user, state="OR", status=status,
            signature="C", signed_at=NOW, reason="Above the limit." if status == "denied" else "",
            submitted_at=None if status == "draft" else NOW - dt.timedelta(days=4),
            decide_by=None if status == "draft" else today - dt.timedelta(days=1),
            decided_at=NOW if status == "denied" else None,
        )  # fmt: skip
    made["later"] = Application.objects.create(
        number="APPL-2000", household=cast.strangers, applicant=cast.charlie.user, state="OR", status="denied",
        signature="C", signed_at=NOW, reason="Above the limit.", submitted_at=NOW, decided_at=NOW,
    )  # fmt: skip
    return made


def test_applications_to_decide_come_first_and_late_ones_are_said_loudly(staff, applications) -> None:
    client = staff(Role.ASSISTANCE)

    def listed(**query: str) -> set[str]:
        rows = client.get(APPLICATIONS, query).context["cl"].result_list
        return {name for name, each in applications.items() if each in list(rows)}

    assert listed() == {"submitted", "missing", "appealed"}
    assert listed(state="overdue") == {"submitted", "appealed"}
    assert listed(state="applicant") == {"missing"}
    assert listed(state="appealed") == {"appealed"}
    assert listed(state="decided") == {"denied", "later"}
    assert listed(state="all") == set(applications)
    assert listed(q=applications["denied"].number) == {"denied"}  # who looks for one finds it
    Application.objects.filter(pk=applications["appealed"].pk).update(decide_by=timezone.localdate())
    assert listed(state="overdue") == {"submitted"}
    page = client.get(APPLICATIONS).content.decode()
    assert page.count(", overdue</strong>") == 1
    assert "waits for the applicant" in page
    assert 'aria-label="Applications to decide, by age: under a day 0, 1 to 3 days 0, 3 to 7 days 3,' in page


def test_records_to_review_say_how_long_they_have_waited(staff, records: Records) -> None:
    client, old = staff(Role.BILLING), records.reject
    ImportReject.objects.filter(pk=old.pk).update(created_at=NOW - dt.timedelta(days=8))
    new = ImportReject.objects.create(batch=records.batch, outcome="review", rule="r", reason="?", source_id="y")
    ImportReject.objects.create(batch=records.batch, outcome="refused", rule="r", reason="Not a date.")
    page = client.get(REJECTS)
    assert 'aria-label="Records to review, by age: under a day 1, 1 to 3 days 0, 3 to 7 days 0, 1 to 4 weeks 1' in (
        page.content.decode()
    )
    assert "1\xa0week, 1\xa0day" in page.content.decode()
    assert list(page.context["cl"].result_list) == [old, new]
    assert list(client.get(REJECTS, {"age": "7"}).context["cl"].result_list) == [old]
    assert "1\xa0week" in client.get(f"{REJECTS}{old.pk}/change/").content.decode()
