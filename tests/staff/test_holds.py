"""Staff hold a bill and let it go on, and see what waits and how long."""

import datetime as dt

from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from bills import holds
from bills.models import Bill, Hold
from tests.staff.conftest import Records

FORM = {"reason": "The court wrote to us.", "key": "0123456789abcdef"}


def test_a_bill_is_held_once_however_often_the_form_is_sent(staff, records: Records) -> None:
    client: Client = staff(Role.MEMBER_SERVICES)
    address = f"/admin/bills/bill/{records.bill.pk}/hold/"
    for _twice in range(2):
        assert client.post(address, FORM | {"cause": "bankruptcy"}).status_code == 302
    hold = Hold.objects.get(bill=records.bill)
    assert (hold.cause, hold.reason) == ("bankruptcy", "The court wrote to us.")
    assert Bill.objects.get(pk=records.bill.pk).held_since is not None


def test_a_cause_that_comes_of_something_is_not_chosen_by_hand(staff, records: Records) -> None:
    address = f"/admin/bills/bill/{records.bill.pk}/hold/"
    assert staff(Role.BILLING).post(address, FORM | {"cause": "assistance"}).status_code == 422
    assert not Hold.objects.filter(bill=records.bill).exists()


def test_a_hold_is_ended_with_a_reason(staff, records: Records) -> None:
    client = staff(Role.BILLING)
    address = f"/admin/bills/hold/{records.hold.pk}/end/"
    assert client.post(address, FORM | {"reason": ""}).status_code == 422
    assert client.post(address, FORM).status_code == 302
    records.hold.refresh_from_db()
    assert records.hold.ended_at is not None
    assert records.hold.ended_by is not None


def test_a_hold_of_an_application_ends_with_it_alone(staff, records: Records) -> None:
    hold = holds.begin(records.bill, cause=Hold.Cause.ASSISTANCE, reference="application:1")
    client = staff(Role.BILLING)
    assert "/end/" not in client.get(f"/admin/bills/hold/{hold.pk}/change/").content.decode()
    client.post(f"/admin/bills/hold/{hold.pk}/end/", FORM)
    hold.refresh_from_db()
    assert hold.ended_at is None


def test_the_list_shows_what_waits_the_oldest_first_and_how_long(staff, records: Records) -> None:
    Hold.objects.filter(pk=records.hold.pk).update(began_at=timezone.now() - dt.timedelta(days=40))
    holds.end([holds.begin(records.bill, cause=Hold.Cause.REVIEW)])
    client = staff(Role.MEMBER_SERVICES)
    page = client.get("/admin/bills/hold/").content.decode()
    assert "over 4 weeks 1" in page
    assert records.premium.number in page
    assert records.bill.number not in page  # its hold has ended
    assert records.bill.number in client.get("/admin/bills/hold/?state=ended").content.decode()
    assert records.premium.number in client.get("/admin/bills/hold/?age=28").content.decode()
