"""What an award makes overpaid goes back by itself: once, within the rules, and also where a payment was on its way."""

import datetime as dt
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.roles import Role
from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from assistance import applying, correcting, refunding
from assistance.models import Application, AwardedBill
from bills import premiums
from bills.models import Bill
from ledger import checks
from payments import approvals, checkout, lockbox, overpaid, sweeping
from payments.lockbox import Slip
from payments.models import Payment, Refund
from tests.assistance.asking import approved, sent
from tests.conftest import Cast
from tests.factories import make_coverage
from tests.ledger.races import together
from tests.payments import banking
from tests.payments.paying import balance, make_bill, stripe_client, token
from tests.provider import provider, provider_process  # noqa: F401
from tests.staff.conftest import make_staff
from tests.stripe_sandbox.conftest import Server

pytestmark = pytest.mark.usefixtures("provider")
THREE_QUARTERS = 47_880_00 // 12  # a monthly income of which the rules take 75 % off


def drafted(cast: Cast, bill: Bill, cents: int, card: str = "pm_card_visa") -> Payment:
    """Alice's payment, its card chosen and not confirmed."""
    assert cast.alice.user is not None
    draft = checkout.begin(scope_of(cast.alice.user), payer=cast.alice.user, amounts={bill.number: cents})
    return checkout.choose(draft, confirmation_token=token(card))


def approve(application: Application, cast: Cast) -> None:
    """Dana's yes."""
    applying.approve(application, by=cast.dana, reason="Within the limit.")


def sent_back() -> list[int]:
    """What the provider has sent back."""
    return [made.amount for made in stripe_client().v1.refunds.list({"limit": 100}).data]


def credit(cast: Cast) -> int:
    """The household's credit, US cents."""
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


def test_what_was_paid_beyond_goes_back_to_the_card_once(real_cast: Cast) -> None:
    """Many workers at once, and again later: one refund; the bill owes nothing and no credit is left."""
    bill = make_bill(real_cast.alice, 10_000)
    assert checkout.confirm(drafted(real_cast, bill, 10_000)).status == "succeeded"
    approved(real_cast.alice, real_cast.dana, income_cents=THREE_QUARTERS)
    assert (credit(real_cast), AwardedBill.objects.get().refunded_cents) == (7_500, None)
    assert together([refunding.run] * 4)["ok"] == 4
    assert refunding.run() == 0
    assert (sent_back(), balance(bill), credit(real_cast)) == ([7_500], 0, 0)
    row, refund = AwardedBill.objects.get(), Refund.objects.get()
    assert (row.returned_cents, row.refunded_cents, refund.status) == (7_500, 7_500, "succeeded")
    assert not Event.objects.filter(kind="award.credit_left").exists()
    assert checks.run(checks.RULES, deep=True) == []


def test_a_premium_that_charitable_coverage_makes_overpaid_goes_back_too(real_cast: Cast) -> None:
    """Paid for this month before it was asked for: sent back once, and told of nowhere as credit that is left."""
    coverage = make_coverage(
        real_cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=timezone.localdate().replace(day=1)
    )
    premiums.catch_up(coverage)
    bill = Bill.objects.filter(coverage=coverage).order_by("period")[0]
    checkout.confirm(drafted(real_cast, bill, 50_000))
    approved(real_cast.alice, real_cast.dana, income_cents=2_000_00, charitable=True)
    row = AwardedBill.objects.get()
    assert (row.bill, row.returned_cents, row.refunded_cents) == (bill, 50_000, None)
    assert (refunding.run(), refunding.run()) == (1, 0)
    assert (sent_back(), balance(bill), credit(real_cast)) == ([50_000], 0, 0)
    assert correcting.run(timezone.localdate()) == 0
    assert not Event.objects.filter(kind="award.credit_left").exists()
    assert checks.run(checks.RULES, deep=True) == []


def test_one_that_breaks_off_keeps_no_other_and_is_not_sent_twice(real_cast: Cast) -> None:
    bills = [make_bill(real_cast.alice, cents) for cents in (10_000, 20_000)]
    for bill in bills:
        checkout.confirm(drafted(real_cast, bill, bill.amount_cents))
    approved(real_cast.alice, real_cast.dana, income_cents=THREE_QUARTERS)
    first = AwardedBill.objects.order_by("pk")[0]
    with connection.cursor() as cursor:
        refusal = f"ADD CONSTRAINT broken CHECK (id <> {first.pk} OR refunded_cents IS NULL)"
        cursor.execute(f"ALTER TABLE assistance_awardedbill {refusal}")
        try:
            assert refunding.run() == 1
        finally:
            cursor.execute("ALTER TABLE assistance_awardedbill DROP CONSTRAINT broken")
    assert (refunding.run(), refunding.run()) == (1, 0)
    assert (sorted(sent_back()), credit(real_cast)) == ([7_500, 15_000], 0)


def test_above_the_limit_a_second_person_sends_it_or_leaves_it_as_credit(real_cast: Cast, settings: Settings) -> None:
    """All that one award gives back counts together, however many bills it was paid on."""
    settings.REFUND_SECOND_PERSON_CENTS = 10_000
    bills = [make_bill(real_cast.alice, 10_000) for _ in range(2)]
    for bill in bills:
        checkout.confirm(drafted(real_cast, bill, 10_000))
    approved(real_cast.alice, real_cast.dana, income_cents=THREE_QUARTERS)
    assert refunding.run() == 2
    assert (sent_back(), refunding.run(), WorkItem.objects.filter(kind="refund_approval").count()) == ([], 0, 2)
    assert overpaid.found(scope_of(real_cast.alice.user)) == []  # type: ignore[arg-type]  # reserved meanwhile
    first, second = Refund.objects.order_by("pk")
    with pytest.raises(approvals.SamePerson):
        approvals.approve(first, by=real_cast.dana, reason="mine")
    other = make_staff(Role.BILLING)
    assert approvals.approve(first, by=other, reason="As awarded.").status == "succeeded"
    approvals.decline(second, by=other, reason="The card is closed.")
    assert (sent_back(), credit(real_cast)) == ([7_500], 7_500)
    [left] = overpaid.found(scope_of(real_cast.alice.user))  # type: ignore[arg-type]
    assert left.source.left_cents == 7_500
    assert checks.run(checks.RULES, deep=True) == []


def test_what_a_check_paid_stays_credit_and_the_applicant_is_told(real_cast: Cast) -> None:
    """Nothing can go back to a card: the money is there to be asked for, and the event says so once."""
    bill = make_bill(real_cast.alice, 10_000)
    slip = Slip(number="1234", amount_cents=10_000, received_on=timezone.localdate(), reference=bill.number)
    lockbox.record_check(slip, by=real_cast.dana, reason="Opened by hand")
    approved(real_cast.alice, real_cast.dana, income_cents=THREE_QUARTERS)
    assert (refunding.run(), refunding.run()) == (1, 0)
    assert (sent_back(), credit(real_cast), AwardedBill.objects.get().refunded_cents) == ([], 7_500, 0)
    event = Event.objects.get(kind="award.credit_left")
    assert (event.data["amount_cents"], event.data["user_id"]) == (7_500, real_cast.alice.user.pk)  # type: ignore[union-attr]


def test_an_award_and_a_payment_confirmed_at_the_same_moment_send_back_what_was_too_much(real_cast: Cast) -> None:
    """Whichever is first: the member has paid a quarter in the end, and nothing is left over."""
    for _time in range(2):
        bill = make_bill(real_cast.alice, 10_000)
        payment = drafted(real_cast, bill, 10_000)
        application = sent(real_cast.alice, income_cents=THREE_QUARTERS)
        outcomes = together([partial(approve, application, real_cast), partial(checkout.confirm, payment)])
        payment.refresh_from_db()
        refunding.run()
        sweeping.run(now=timezone.now() + dt.timedelta(hours=1))
        refunding.run()
        paid = payment.amount_cents if payment.status in ("succeeded", "partially_refunded") else 0
        back = sum(refund.amount_cents for refund in payment.refunds.filter(status="succeeded"))
        assert outcomes["ok"] >= 1
        assert (balance(bill), credit(real_cast)) == ((0, 0) if paid else (2_500, 0))
        assert paid - back == (2_500 if paid else 0)
        assert AwardedBill.objects.get(bill=bill).refunded_cents is not None
        assert checks.run(checks.RULES, deep=True) == []


def test_a_bank_debit_on_its_way_is_waited_for_and_its_excess_goes_back(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """The award lowers the bill while the debit is in flight: the excess is sent back once it has arrived."""
    bill = make_bill(real_cast.alice, 10_000)
    payment = banking.sent(real_cast.alice, {bill: 10_000})
    assert payment.status == "processing"
    approved(real_cast.alice, real_cast.dana, income_cents=THREE_QUARTERS)
    assert (refunding.run(), AwardedBill.objects.get().refunded_cents, balance(bill)) == (0, None, 2_500)
    payment = banking.settled(provider, payment)
    assert (payment.status, credit(real_cast)) == ("succeeded", 7_500)
    assert refunding.run() == 1
    assert (sent_back(), balance(bill), AwardedBill.objects.get().refunded_cents) == ([7_500], 0, 7_500)
    assert checks.run(checks.RULES, deep=True) == []
