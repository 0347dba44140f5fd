"""Stripe's book against ours, both ways and to the cent: what was not heard of, what is nobody's, and what differs."""

import datetime as dt
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from activity.models import WorkItem
from bills.models import Bill
from ledger.chart import SYSTEM_ACCOUNT_IDS, SystemAccount
from payments import checkout, checks, findings, gateway, overdue, reconciling, refund_rules, sweeping
from payments.models import BalanceTransaction, Dispute, Finding, Payment, ReconciliationRun, Refund, StripeEvent
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.paying import balance, make_bill, stripe_client, trial_balance
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
DAY = 24 * 3600


def held(account: SystemAccount) -> int:
    """Debits less credits of one of the plan's own accounts, US cents."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(CASE WHEN debit_id = %(id)s THEN amount_cents ELSE -amount_cents END), 0)"
            " FROM ledger_transfer WHERE %(id)s IN (debit_id, credit_id)",
            {"id": SYSTEM_ACCOUNT_IDS[account]},
        )
        return int(cursor.fetchone()[0])


def broken() -> list[str]:
    """The rules of the book that do not hold, the provider's rows among them."""
    return [rule.rule for rule in checks.run(balance_rows=gateway.balance_rows)]


def in_the_past(payment: Payment) -> None:
    """Settle a payment two hours ago: what is younger may stand on one side only."""
    Payment.objects.filter(pk=payment.pk).update(settled_at=timezone.now() - dt.timedelta(hours=2))


def test_what_agrees_is_matched_with_its_fee_once(draft: Draft, bill: Bill) -> None:
    """FAULTS D18, D23: fees are the plan's, once a balance transaction, however often it is run."""
    checkout.confirm(draft(5_000))
    first = reconciling.run()
    again = reconciling.run()
    assert (first.matched, first.matched_cents, first.adopted, first.fees_cents) == (1, 5_000, 0, 175)
    assert (again.lines, again.matched, again.fees_cents) == (0, 0, 0)
    assert held(SystemAccount.STRIPE_FEES) == 175
    assert held(SystemAccount.STRIPE_CLEARING) == 5_000 - 175
    assert broken() == []


def test_a_payment_whose_webhooks_never_came_is_taken_in(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS C15, E12: restored to before the reply, with no event to learn from."""
    payment = draft(5_000)
    provider.post("faults", match={"path": "/v1/payment_intents$"}, effect="drop_after", times=1)
    checkout.confirm(payment)
    provider.control("DELETE", "log")
    found = reconciling.run()
    payment.refresh_from_db()
    assert (payment.status, found.adopted, balance(bill)) == (PaymentStatus.SUCCEEDED, 1, 13_500)
    assert trial_balance() == 0
    assert "/v1/events" not in str(provider.get("log"))


def test_31_days_without_webhooks_are_healed_from_the_book(
    real_cast: Cast, draft: Draft, bill: Bill, provider: Server
) -> None:
    """FAULTS C15: nothing is told for 31 days of the provider's clock, and its list of events reaches back 30."""
    lost, refunded, disputed = draft(5_000), checkout.confirm(draft(3_000)), checkout.confirm(draft(2_000))
    posts = banking.sent(real_cast.alice, {bill: 4_000})
    comes_back = banking.paid(provider, real_cast.alice, {bill: 1_000})
    provider.post("faults", match={"path": "/v1/payment_intents$"}, effect="drop_after", times=1)
    checkout.confirm(lost)
    provider.post("refunds", payment_intent=refunded.stripe_payment_intent_id, amount=1_000)
    provider.post("clock/advance", seconds=5 * DAY)
    provider.post("bank_debits/return", payment_intent=comes_back.stripe_payment_intent_id, code="R10")
    provider.post("disputes", payment_intent=disputed.stripe_payment_intent_id)
    first_events = len(stripe_client().v1.events.list({"limit": 100}).data)
    provider.post("clock/advance", seconds=26 * DAY)
    left = len(stripe_client().v1.events.list({"limit": 100}).data)
    assert left < first_events, "the first days cannot be read as events any more"
    assert not StripeEvent.objects.exists()

    until = timezone.now() + dt.timedelta(days=31, hours=1)
    found = reconciling.run(until=until)
    states = {payment: Payment.objects.get(pk=payment.pk).status for payment in (lost, refunded, disputed, posts)}
    assert states == {lost: "succeeded", refunded: "partially_refunded", disputed: "disputed", posts: "succeeded"}
    assert Payment.objects.get(pk=comes_back.pk).status == "returned"
    assert balance(bill) == 18_500 - 5_000 - (3_000 - 1_000) - 4_000
    assert (found.only_there, found.only_here, found.differing) == (0, 0, 0)
    assert (broken(), trial_balance()) == ([], 0)
    assert reconciling.run(until=until).adopted == 0


def test_refunds_and_disputes_made_at_stripe_are_taken_in(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D09, D16: without a single webhook; and what the dispute cost is on the fee account."""
    refunded, disputed = checkout.confirm(draft(5_000)), checkout.confirm(draft(3_000))
    provider.post("refunds", payment_intent=refunded.stripe_payment_intent_id, amount=2_000)
    provider.post("disputes", payment_intent=disputed.stripe_payment_intent_id)
    found = reconciling.run()
    assert found.adopted == 2
    assert Refund.objects.get().amount_cents == 2_000
    assert Dispute.objects.get().booked_cents == 3_000
    assert balance(bill) == 18_500 - 5_000 + 2_000
    assert broken() == []


def test_an_inquiry_that_moved_no_money_is_taken_in(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D15: it has no balance transaction, and still somebody has to answer it."""
    payment = checkout.confirm(draft(5_000))
    reconciling.run()
    provider.post("disputes", payment_intent=payment.stripe_payment_intent_id, inquiry=True)
    reconciling.run()
    assert Dispute.objects.get().status == "warning_needs_response"


def test_unknown_money_is_in_suspense_once_and_is_work(real_cast: Cast, provider: Server) -> None:
    """FAULTS D19: found by the next run, booked once, and one person asked."""
    provider.post("charges", amount=4_321)
    found = reconciling.run()
    reconciling.run()
    assert (found.only_there, found.only_there_cents) == (1, 4_321)
    assert held(SystemAccount.SUSPENSE) == -4_321
    assert WorkItem.objects.filter(kind="suspense", done_at__isnull=True).count() == 1
    assert broken() == []


def test_suspense_put_to_a_bill_is_a_payment_like_any_other(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """It pays what is owed, the rest is household credit, and Stripe's charge is its own."""
    small = make_bill(real_cast.bob, 4_000)
    provider.post("charges", amount=4_321)
    reconciling.run()
    finding = Finding.objects.get()
    payment = findings.assign(
        finding, by=real_cast.dana, reason="Told by phone", bills=[small], household=real_cast.household
    )
    assert (balance(small), payment.credit_cents, held(SystemAccount.SUSPENSE)) == (0, 321, 0)
    real_cast.household.credit.refresh_from_db()
    assert real_cast.household.credit.balance_cents == -321
    assert not WorkItem.objects.filter(done_at__isnull=True).exists()
    with pytest.raises(findings.FindingError):
        findings.assign(finding, by=real_cast.dana, reason="Again", bills=[small], household=real_cast.household)
    reconciling.run()
    sweeping.refresh(payment)
    assert (broken(), trial_balance()) == ([], 0)
    assert not WorkItem.objects.filter(done_at__isnull=True).exists()


def test_suspense_that_is_refunded_comes_to_nothing(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """Asked for once, booked from Stripe's book."""
    provider.post("charges", amount=4_321)
    reconciling.run()
    finding = Finding.objects.get()
    findings.refund(finding, by=real_cast.dana, reason="Nobody knows it")
    findings.refund(finding, by=real_cast.dana, reason="Nobody knows it")
    with pytest.raises(findings.FindingError):
        findings.assign(finding, by=real_cast.dana, reason="No", bills=[bill], household=real_cast.household)
    reconciling.run()
    finding.refresh_from_db()
    assert finding.closed_at is not None
    assert held(SystemAccount.SUSPENSE) == 0
    assert provider.get("totals")["refunds"] == 1
    assert broken() == []


def test_a_payment_unknown_at_stripe_is_frozen_until_it_is_found(
    draft: Draft, bill: Bill, real_cast: Cast, provider: Server
) -> None:
    """FAULTS D20: an alarm, and nothing is sent back of it."""
    payment = checkout.confirm(draft(5_000))
    in_the_past(payment)
    provider.post("reset")
    found = reconciling.run()
    payment.refresh_from_db()
    assert payment.frozen_at is not None
    assert (found.only_here, found.only_here_cents) == (1, 5_000)
    assert refund_rules.refundable_cents(payment) == 0
    assert WorkItem.objects.filter(kind="payment_frozen").count() == 1
    intent = provider.post("charges", amount=5_000, metadata={"payment": payment.number})
    Payment.objects.filter(pk=payment.pk).update(stripe_charge_id=intent["latest_charge"])
    reconciling.run()
    payment.refresh_from_db()
    assert payment.frozen_at is None
    assert not WorkItem.objects.filter(kind="payment_frozen", done_at__isnull=True).exists()


def test_one_cent_of_difference_is_an_alarm(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D21: nothing is changed."""
    checkout.confirm(draft(5_000))
    line = next(iter(gateway.balance_rows()))
    provider.post("objects/patch", object=line.id, changes={"amount": 5_001, "net": 5_001 - line.fee_cents})
    found = reconciling.run()
    assert (found.differing, found.differing_cents) == (1, 5_001)
    finding = Finding.objects.get(kind="differs")
    assert (finding.here_cents, finding.there_cents) == (5_000, 5_001)
    assert WorkItem.objects.filter(kind="reconciliation").count() == 1
    assert balance(bill) == 13_500


def test_a_line_that_changes_after_it_was_taken_is_an_alarm(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D21."""
    checkout.confirm(draft(5_000))
    reconciling.run()
    line = next(iter(gateway.balance_rows()))
    provider.post("objects/patch", object=line.id, changes={"amount": 4_999})
    reconciling.run()
    assert Finding.objects.get(kind="differs").there_cents == 4_999


def test_what_was_canceled_at_stripe_is_closed(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D22."""
    payment = checkout.confirm(draft(5_000, card="pm_card_authenticationRequired"))
    assert payment.status == PaymentStatus.REQUIRES_ACTION
    provider.post("payment_intents/cancel", payment_intent=payment.stripe_payment_intent_id)
    reconciling.run()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELED


def test_a_payout_is_the_sum_of_its_parts_and_empties_the_clearing_account(
    draft: Draft, bill: Bill, provider: Server
) -> None:
    """FAULTS M17, D23; and one that comes back is on the clearing account again."""
    checkout.confirm(draft(5_000))
    payout = provider.post("payouts")
    reconciling.run()
    assert (held(SystemAccount.STRIPE_CLEARING), held(SystemAccount.BANK)) == (0, 5_000 - 175)
    assert not Finding.objects.exists()
    provider.post("payouts/fail", payout=payout["id"])
    reconciling.run()
    assert (held(SystemAccount.STRIPE_CLEARING), held(SystemAccount.BANK)) == (5_000 - 175, 0)
    assert broken() == []


def test_a_payout_that_carries_what_an_earlier_one_brought_back_is_the_sum_of_its_parts(
    draft: Draft, bill: Bill, provider: Server
) -> None:
    """FAULTS D23: the money of a failed payout goes out with the next one, and nobody has to look at that."""
    checkout.confirm(draft(5_000))
    failed = provider.post("payouts")
    provider.post("payouts/fail", payout=failed["id"])
    checkout.confirm(draft(3_000))
    provider.post("payouts")
    reconciling.run()
    reconciling.run()
    assert not Finding.objects.exists()
    assert held(SystemAccount.BANK) == 8_000 - held(SystemAccount.STRIPE_FEES)
    assert (held(SystemAccount.STRIPE_CLEARING), broken()) == (0, [])


def test_a_manual_payout_is_reported_as_not_reconcilable(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS D24: booked, and not shown as a payout of nothing."""
    checkout.confirm(draft(5_000, card="pm_card_bypassPending"))
    provider.client().v1.payouts.create({"amount": 1_000, "currency": "usd"})
    found = reconciling.run()
    assert Finding.objects.get(kind="manual_payout").there_cents == 1_000
    assert (found.payouts_cents, held(SystemAccount.BANK)) == (1_000, 1_000)


@pytest.mark.parametrize("count", [100, 101])
def test_pages_miss_nothing_and_take_nothing_twice(real_cast: Cast, provider: Server, count: int) -> None:
    """FAULTS D25."""
    for _number in range(count):
        provider.post("charges", amount=100)
    assert reconciling.run().only_there == count
    assert BalanceTransaction.objects.count() == count
    assert held(SystemAccount.SUSPENSE) == -100 * count


def test_a_line_added_while_listing_shifts_no_other(real_cast: Cast, provider: Server) -> None:
    """FAULTS D25."""
    for _number in range(101):
        provider.post("charges", amount=100)
    rows = gateway.balance_rows()
    first = [next(rows).id for _row in range(100)]
    provider.post("charges", amount=100)
    rest = [row.id for row in rows]
    assert len(set(first + rest)) == len(first + rest) == 101


def test_a_run_that_broke_off_is_taken_up_again(draft: Draft, bill: Bill, provider: Server) -> None:
    """Each step may be repeated; the run that failed says so."""
    checkout.confirm(draft(5_000))
    provider.post("faults", match={"path": "/v1/payouts"}, effect="status_500_before", times=1)
    provider.post("payouts")
    with pytest.raises(gateway.ServerError):
        reconciling.run()
    assert ReconciliationRun.objects.get().status == "failed"
    reconciling.run()
    assert held(SystemAccount.STRIPE_CLEARING) == 0
    assert trial_balance() == 0


def test_the_command_says_what_it_found_and_fails_on_a_difference(real_cast: Cast, provider: Server) -> None:
    said = StringIO()
    call_command("reconcile_stripe", stdout=said)
    assert "0 new lines" in said.getvalue()
    provider.post("charges", amount=4_321)
    with pytest.raises(CommandError, match="1 new findings"):
        call_command("reconcile_stripe", "--since", "2026-01-01", stdout=said)
    assert "$43.21" in said.getvalue()


def test_a_bank_debit_that_takes_too_long_is_work_until_it_is_decided(
    draft: Draft, bill: Bill, real_cast: Cast
) -> None:
    """Three banking days after the day on which it was expected."""
    payment = draft(5_000)
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.SUBMITTED)
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.PROCESSING, expected_on=dt.date(2026, 11, 2))
    noon = dt.datetime(2026, 11, 5, 20, tzinfo=dt.UTC)
    assert overdue.look(now=noon) == 0
    assert overdue.look(now=noon + dt.timedelta(days=1)) == overdue.look(now=noon + dt.timedelta(days=1)) == 1
    assert WorkItem.objects.filter(kind="bank_debit_late", done_at__isnull=True).count() == 1
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.FAILED)
    overdue.look(now=noon)
    assert not WorkItem.objects.filter(kind="bank_debit_late", done_at__isnull=True).exists()


def test_staff_do_not_settle_a_finding_whose_money_is_in_suspense(real_cast: Cast, provider: Server) -> None:
    provider.post("charges", amount=4_321)
    reconciling.run()
    with pytest.raises(findings.FindingError, match="suspense"):
        findings.settle(Finding.objects.get(), by=User.objects.get(pk=real_cast.dana.pk), reason="Seen")
