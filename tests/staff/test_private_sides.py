"""A private side opens to staff as a confidential member's record does: for a reason and a second look (F14, F25)."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import viewing
from accounts.models import Household, Member
from accounts.roles import Role
from activity.models import Access, WorkItem
from bills.models import Accumulator, Bill, Claim
from ledger import regrouping
from ledger.models import Transfer
from support.models import Inquiry
from tests.accounts.private import private_side_of
from tests.staff.conftest import Records, make_staff, sign_in
from tests.staff.test_pages import address

REASON = "She called about this bill of hers."
CLOSED = "Confidential record"


@pytest.fixture
def side(records: Records) -> Member:
    """Maya's private side, on which her bill, its claim, its payment and a question about it stand."""
    side = private_side_of(records.cast.maya)
    Bill.objects.filter(pk=records.bill.pk).update(member=side)
    Claim.objects.filter(pk=records.claim.pk).update(member=side)
    regrouping.put_below(records.bill.receivable_id, side.medical_control_id)
    Inquiry.objects.update(member=side, bill=records.bill)
    Accumulator.objects.update(member=side)
    return side


def test_every_record_of_it_opens_for_a_reason_and_for_a_second_look(records: Records, side: Member) -> None:
    client = sign_in(Client(), records.cast.dana)
    own = [
        side, records.bill, records.claim, records.payment, records.refund, records.bill.receivable,
        Transfer.objects.get(key="check:1"), Inquiry.objects.get(), Accumulator.objects.get(),
    ]  # fmt: skip
    for record in own:
        page = client.get(address(type(record), "change", record.pk)).content.decode()
        assert CLOSED in page, record
        for word in ("Outpatient", "Oakridge", "Allergy", "$185.00", "$35.00"):
            assert word not in page, record
    action = reverse("admin:bills_bill_void", args=[records.bill.pk])
    assert CLOSED in client.get(action).content.decode()
    assert not Access.objects.filter(member_id=side.pk).exists()
    target = address(Bill, "change", records.bill.pk)
    assert CLOSED in client.post(target, {"reason": "no"}).content.decode()
    assert client.post(target, {"reason": REASON}).status_code == 302
    assert Access.objects.get(action="confidential").member_id == side.pk
    assert WorkItem.objects.get(kind="confidential_look").subject == f"member:{side.number}"
    for record in own:
        assert CLOSED not in client.get(address(type(record), "change", record.pk)).content.decode(), record
    assert CLOSED not in client.get(address(Member, "change", records.cast.maya.pk)).content.decode()


def test_its_households_page_and_every_list_and_search_tell_no_more_than_of_a_confidential_member(
    records: Records, side: Member
) -> None:
    client = sign_in(Client(), records.cast.dana)
    household = client.get(address(Household, "change", records.cast.household.pk)).content.decode()
    assert "$150.00" not in household and "confidential" in household
    for model in (Bill, Claim, Member, Inquiry, Accumulator):
        for query in ({}, {"q": side.number}, {"q": records.cast.household.number}):
            page = client.get(address(model, "changelist"), query).content.decode()
            for word in ("Outpatient", "Oakridge", "Allergy"):
                assert word not in page, model
    assert not Access.objects.filter(action="confidential").exists()


def test_nobody_of_the_household_opens_it_for_any_reason(records: Records, side: Member) -> None:
    user = make_staff(Role.BILLING)
    Member.objects.filter(pk=records.cast.alice.pk).update(user=user)
    client = sign_in(Client(), user)
    for record in (records.bill, records.claim, records.payment, records.refund):
        target = address(type(record), "change", record.pk)
        assert client.get(target)["Location"] == reverse("admin:index")
        assert target not in client.get(address(type(record), "changelist")).content.decode()
    assert client.post(address(Member, "change", side.pk), {"reason": REASON}).status_code == 403
    assert client.get(address(type(records.bill.receivable), "change", records.bill.receivable_id)).status_code == 403


def test_the_eyes_of_who_has_one_ask_for_the_reason_first(records: Records) -> None:
    """Who sees the portal as Bob sees his private side as well: no way around the reason and the second look."""
    bob = records.cast.bob
    target = reverse("admin:accounts_member_view-as", args=[bob.pk])
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert CLOSED not in client.get(target).content.decode()
    side = private_side_of(bob)
    assert CLOSED in client.get(target).content.decode()
    form = {"reason": REASON, "key": "0" * 16}
    assert client.post(target, form)["Location"] == target  # the reason for the record; nothing is seen yet
    assert viewing.KEY not in client.session
    assert Access.objects.filter(action="confidential", reason=REASON, member_id=side.pk).exists()
    assert WorkItem.objects.get(kind="confidential_look").subject == f"member:{side.number}"
    client.post(target, form)
    assert viewing.KEY in client.session
    holders = reverse("admin:accounts_member_view-as", args=[records.cast.alice.pk])
    assert CLOSED not in client.get(holders).content.decode()  # the holder's eyes see nothing of it
