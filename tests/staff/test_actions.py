"""What staff do: adjust, write off, void, refund, work off the queue, settle rejects. Each with a reason, each once."""

import pytest
from django.test import Client

from accounts.roles import Role
from activity import work
from activity.models import Access, Event, WorkItem
from bills.models import Bill, ImportReject
from ledger.chart import Code
from ledger.models import Transfer
from payments.models import Refund
from tests.staff.conftest import make_staff, sign_in

KEY = "0123456789abcdef"
REASON = "The clinic asked us to."


@pytest.fixture
def billing(records) -> Client:
    """A browser of somebody of Billing."""
    return sign_in(Client(), make_staff(Role.BILLING))


def balance(bill: Bill) -> int:
    """What is owed on a bill now, US cents."""
    return Bill.objects.select_related("receivable").get(pk=bill.pk).balance_cents


@pytest.mark.parametrize(("action", "code"), [("adjust", Code.ADJUSTMENT), ("write-off", Code.WRITE_OFF)])
def test_a_bill_is_adjusted_with_a_reason_that_stays(billing, records, action, code):
    address = f"/admin/bills/bill/{records.bill.pk}/{action}/"
    assert "$150.00" in billing.get(address).content.decode()
    answer = billing.post(address, {"amount": "25.50", "reason": REASON, "key": KEY}, follow=True)
    assert "The bill is adjusted." in answer.content.decode()
    assert balance(records.bill) == 15000 - 2550
    assert Transfer.objects.get(code=code).amount_cents == 2550
    event = Event.objects.get(kind="bill.adjusted")
    assert (event.reason, event.actor.split(":")[0]) == (REASON, "user")
    assert Access.objects.filter(action=action, reason=REASON, member_id=records.cast.maya.pk).exists()


def test_the_same_form_sent_twice_adjusts_once(billing, records):
    address = f"/admin/bills/bill/{records.bill.pk}/adjust/"
    for _click in range(2):
        billing.post(address, {"amount": "25.50", "reason": REASON, "key": KEY})
    assert balance(records.bill) == 12450
    assert Event.objects.filter(kind="bill.adjusted").count() == 1


@pytest.mark.parametrize("amount", ["150.01", "0", "0.00", "-5", "1e3", "１２", "12.345", "", "NaN", "99999999"])
def test_an_amount_that_cannot_be_is_refused(billing, records, amount):
    answer = billing.post(
        f"/admin/bills/bill/{records.bill.pk}/adjust/", {"amount": amount, "reason": REASON, "key": KEY}
    )
    assert answer.status_code == 422
    assert balance(records.bill) == 15000


@pytest.mark.parametrize("reason", ["", "   ", "short", "x" * 501])
def test_nothing_is_done_without_a_reason(billing, records, reason):
    for action in ("adjust", "write-off", "void"):
        answer = billing.post(
            f"/admin/bills/bill/{records.bill.pk}/{action}/", {"amount": "1.00", "reason": reason, "key": KEY}
        )
        assert answer.status_code == 422
    assert balance(records.bill) == 15000


def test_a_void_bill_gives_back_what_was_paid_as_credit(billing, records):
    address = f"/admin/bills/bill/{records.bill.pk}/void/"
    for _click in range(2):
        billing.post(address, {"reason": REASON, "key": KEY})
    assert balance(records.bill) == 0
    records.cast.household.credit.refresh_from_db()
    assert records.cast.household.credit.balance_cents == -3500
    assert Transfer.objects.filter(code=Code.BILL_VOIDED).count() == 1


def test_a_paid_bill_is_corrected_and_what_was_paid_beyond_it_becomes_credit(billing, records):
    """As by a corrected claim, and once; never raised, nor by less than nothing."""
    address = f"/admin/bills/bill/{records.bill.pk}/correct/"
    assert "Asks for now" in billing.get(address).content.decode()
    refused = [("185.00", "write an amount below"), ("200.00", "write an amount below"), ("0.00", "above $0.00")]
    for amount, told in refused:
        answer = billing.post(address, {"amount": amount, "reason": REASON, "key": KEY})
        assert answer.status_code == 422 and told in answer.content.decode()
    for _click in range(2):
        billing.post(address, {"amount": "30.00", "reason": REASON, "key": KEY})
    assert balance(records.bill) == 0
    records.cast.household.credit.refresh_from_db()
    assert records.cast.household.credit.balance_cents == -500
    assert Transfer.objects.get(code=Code.BILL_LOWERED).amount_cents == 15500
    assert Event.objects.get(kind="bill.corrected").reason == REASON
    billing.post(f"/admin/bills/bill/{records.bill.pk}/void/", {"reason": REASON, "key": KEY})
    assert billing.post(address, {"amount": "1.00", "reason": REASON, "key": "1" * 16}).status_code == 422
    premium = f"/admin/bills/bill/{records.premium.pk}/correct/"
    assert billing.post(premium, {"amount": "1.00", "reason": REASON, "key": "2" * 16}).status_code == 422


def test_a_payment_that_has_not_succeeded_is_not_refunded(billing, records):
    answer = billing.post(
        f"/admin/payments/payment/{records.payment.pk}/refund/", {"amount": "1.00", "reason": REASON, "key": KEY}
    )
    assert answer.status_code == 422
    assert Refund.objects.count() == 1


def test_work_is_taken_and_done_with_a_reason(billing, records):
    item = WorkItem.objects.create(kind="dispute", subject="payment:x", dedupe_key="w1")
    billing.post(f"/admin/activity/workitem/{item.pk}/take/")
    item.refresh_from_db()
    assert item.owner.email == "billing@staff.example.com"
    billing.post(f"/admin/activity/workitem/{item.pk}/finish/", {"reason": "no"})
    item.refresh_from_db()
    assert item.done_at is None
    billing.post(f"/admin/activity/workitem/{item.pk}/finish/", {"reason": REASON})
    item.refresh_from_db()
    assert (item.done_by, item.done_reason) == (item.owner, REASON)
    assert list(Event.objects.filter(subject=f"work:{item.pk}").values_list("kind", flat=True)) == [
        "work.taken",
        "work.done",
    ]
    with pytest.raises(work.AlreadyDone):
        work.finish(item, by_id=item.owner_id, reason=REASON)
    with pytest.raises(work.AlreadyDone):
        work.take(item, by_id=item.owner_id)


def test_work_is_neither_taken_nor_done_by_a_link(billing, records):
    """FAULTS F32: a GET has no side effect."""
    item = WorkItem.objects.create(kind="dispute", subject="payment:x", dedupe_key="w1")
    for action in ("take", "finish"):
        assert billing.get(f"/admin/activity/workitem/{item.pk}/{action}/").status_code == 403
    item.refresh_from_db()
    assert (item.owner, item.done_at) == (None, None)


def test_a_reject_is_settled_once(billing, records):
    address = f"/admin/bills/importreject/{records.reject.pk}/settle/"
    queue = billing.get("/admin/bills/importreject/").context["cl"].queryset
    assert records.reject in queue
    for _click in range(2):
        billing.post(address, {"reason": REASON, "key": KEY})
    reject = ImportReject.objects.get(pk=records.reject.pk)
    assert (reject.resolved_by.email, reject.resolution) == ("billing@staff.example.com", REASON)
    assert Event.objects.filter(kind="import.reject_resolved").count() == 1
    assert records.reject not in billing.get("/admin/bills/importreject/").context["cl"].queryset
