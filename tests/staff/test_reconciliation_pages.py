"""The staff's pages of reconciliation, paper checks and the queue: each thing is done once, with a reason."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from activity.models import Access, Event, WorkItem
from activity.queue import TASKS
from payments.models import Check, LockboxFile
from tests.staff.conftest import make_staff, sign_in

REASON = "Read on the image of the check."
KEY = "0123456789abcdef"


@pytest.fixture
def billing(records) -> Client:
    """A browser of somebody of Billing."""
    return sign_in(Client(), make_staff(Role.BILLING))


def test_a_check_is_recorded_by_hand_with_a_reason(billing, records):
    form = {
        "number": "1234", "amount": "35.00", "received_on": str(timezone.localdate()),
        "reference": records.bill.number,
    }  # fmt: skip
    assert billing.post("/admin/payments/check/record/", form).status_code == 422
    answer = billing.post("/admin/payments/check/record/", form | {"reason": REASON}, follow=True)
    assert "Check 1234 is posted." in answer.content.decode()
    assert billing.post("/admin/payments/check/record/", form | {"reason": REASON}).status_code == 422
    assert Check.objects.filter(number="1234").count() == 1
    assert Event.objects.get(kind="check.recorded").reason == REASON
    assert Access.objects.filter(action="record", reason=REASON).exists()


def test_an_unmatched_check_is_matched_and_returned(billing, records):
    check = Check.objects.create(
        number="88", amount_cents=100, received_on=timezone.localdate(), identity="88", status="unmatched",
        recorded_by=records.cast.dana,
    )  # fmt: skip
    address = f"/admin/payments/check/{check.pk}"
    wrong = billing.post(f"{address}/match/", {"reference": "ZZZZ-ZZZZ", "reason": REASON, "key": KEY})
    assert wrong.status_code == 422
    billing.post(f"{address}/match/", {"reference": records.bill.number, "reason": REASON, "key": KEY})
    check.refresh_from_db()
    assert check.status == "posted"
    billing.post(f"{address}/return/", {"reason": REASON, "key": KEY})
    check.refresh_from_db()
    assert check.status == "returned"
    assert WorkItem.objects.filter(kind="check_returned").count() == 1


def test_a_lockbox_file_is_taken_in_and_its_bad_rows_are_shown(billing, records):
    today = timezone.localdate()
    content = (
        "record,date,batch,check_number,reference,amount\n"
        f"check,{today},B1,1,{records.bill.number},10.00\ncheck,{today},B1,2/2,,5.00\ntotal,,,2,,15.00\n"
    ).encode()
    upload = {"file": SimpleUploadedFile("../box.csv", content)}
    page = billing.post("/admin/payments/lockboxfile/upload/", upload, follow=True).content.decode()
    assert "2 checks read" in page
    assert "The check number has 1 to 20" in page
    refused = {"file": SimpleUploadedFile("box.csv", content.replace(b"15.00", b"15.01"))}
    assert billing.post("/admin/payments/lockboxfile/upload/", refused).status_code == 422
    assert LockboxFile.objects.filter(name="box.csv").count() == 1


def test_work_is_handed_over_to_who_may_do_it_and_given_back(billing, records):
    item = WorkItem.objects.create(kind="suspense", subject="finding:1", dedupe_key="w1")
    colleague, auditor = make_staff(Role.MEMBER_SERVICES), make_staff(Role.AUDITOR)
    address = f"/admin/activity/workitem/{item.pk}"
    for to, owner in ((auditor, None), (records.cast.charlie.user, None), (colleague, colleague)):
        billing.post(f"{address}/hand-over/", {"to": to.email, "reason": REASON})
        item.refresh_from_db()
        assert item.owner == owner
    billing.post(f"{address}/give-back/")
    item.refresh_from_db()
    assert item.owner == colleague  # it is not the viewer's to give
    mine = sign_in(Client(), colleague)
    mine.post(f"{address}/give-back/")
    item.refresh_from_db()
    assert item.owner is None
    assert list(Event.objects.filter(subject=f"work:{item.pk}").values_list("kind", flat=True)) == [
        "work.handed_over", "work.given_back",
    ]  # fmt: skip


def test_every_kind_of_work_says_what_to_do_next_and_by_when(billing):
    assert set(TASKS) == set(WorkItem.Kind.values)
    item = WorkItem.objects.create(kind="dispute", subject="payment:x", dedupe_key="w2", due_at=timezone.now())
    page = billing.get(f"/admin/activity/workitem/{item.pk}/change/").content.decode()
    assert "Open the dispute" in page
    assert "overdue" in page


def test_the_queue_is_filtered_by_age_and_shows_it_as_a_chart(billing):
    old = WorkItem.objects.create(kind="dispute", subject="payment:x", dedupe_key="w3")
    WorkItem.objects.filter(pk=old.pk).update(opened_at=timezone.now() - dt.timedelta(days=8))
    new = WorkItem.objects.create(kind="suspense", subject="finding:1", dedupe_key="w4")
    page = billing.get("/admin/activity/workitem/")
    assert 'aria-label="What waits, by age: under a day 1' in page.content.decode()
    found = billing.get("/admin/activity/workitem/", {"age": "7"}).context["cl"].queryset
    assert (old in found, new in found) == (True, False)


def test_a_finding_names_its_next_step(billing, records):
    page = billing.get("/admin/payments/finding/").content.decode()
    assert "ch_1" in page
    assert "Open findings by age" in page
    finding = billing.get("/admin/payments/finding/").context["cl"].queryset.get()
    page = billing.get(f"/admin/payments/finding/{finding.pk}/change/").content.decode()
    assert "Put to bills or a household" in page
    assert "Find out at Stripe whose money it is" in page
