"""Banks that do not pay, or take their money back."""

import csv
import dataclasses
import datetime as dt
import os
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills import history, issuing
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from payments import (
    checkout,
    checks,
    dispute_wording,
    disputes,
    gateway,
    moving,
    receipts,
    refunds,
    retries,
    return_codes,
    scheduling,
    sending_due,
    sweeping,
)
from payments.models import Dispute, Mandate, Payment, PaymentMethod
from payments.return_codes import Account, Autopay, Retry
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.paying import balance, drifting_accounts, make_bill, trial_balance
from tests.stripe_sandbox.conftest import Server

CODES = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "nacha" / "codes"


@pytest.fixture(autouse=True)
def nothing_drifts(real_db: None):
    """After every story here the book holds."""
    yield
    assert drifting_accounts() == [] and trial_balance() == 0
    assert checks.run(deep=True) == []


def credit_cents(cast: Cast) -> int:
    """What the plan owes the household, US cents."""
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


@pytest.mark.parametrize("name", ["ach_return_codes", "ach_notification_of_change_codes"])
def test_every_code_has_what_follows_from_it(name: str) -> None:
    """RULES 3.3: our own table has every code of the list, and nothing that is not one."""
    path = CODES / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"no list of codes at {path}")
    with path.open() as rows:
        listed = {row["code"] for row in csv.DictReader(rows)}
    assert listed == {code for code in return_codes.CODES if code[0] == min(listed)[0]}


@pytest.mark.parametrize(
    ("codes", "retry", "account", "autopay", "needs_staff"),
    [
        ("R01 R09", Retry.TWICE, Account.KEPT, Autopay.KEPT, False),
        ("R02 R03 R04 R13 R20", Retry.NEVER, Account.DISABLED, Autopay.SUSPENDED, False),
        ("R05 R07 R10 R11 R29 R51", Retry.NEVER, Account.BLOCKED, Autopay.CANCELED, True),
        ("R08", Retry.ON_REQUEST, Account.KEPT, Autopay.SKIPPED, False),
        ("R16", Retry.NEVER, Account.DISABLED, Autopay.SUSPENDED, False),
        ("R14 R15", Retry.NEVER, Account.DISABLED, Autopay.CANCELED, True),
        ("R06 R31", Retry.NEVER, Account.REVIEWED, Autopay.UNTOUCHED, True),
        ("R24", Retry.NEVER, Account.KEPT, Autopay.KEPT, True),
        ("C01 C02 C05 C09", Retry.NEVER, Account.UPDATED, Autopay.KEPT, False),
    ],
)
def test_what_follows_is_what_the_rules_say(codes, retry, account, autopay, needs_staff) -> None:
    """RULES 3.3, row by row."""
    for code in codes.split():
        row = return_codes.of(code)
        assert (row.retry, row.account, row.autopay, row.needs_staff) == (retry, account, autopay, needs_staff), code


def test_only_want_of_money_is_ever_tried_again() -> None:
    """FAULTS D06: closed, unknown, unauthorized and every other code never are."""
    assert {code for code, row in return_codes.CODES.items() if row.retry is Retry.TWICE} == {"R01", "R09"}


def test_every_text_ends_and_is_translated_lazily() -> None:
    """What a member reads is a whole sentence; an unknown code has one too."""
    with translation.override("en"):
        for row in [*return_codes.CODES.values(), return_codes.of("R99")]:
            assert str(row.text).endswith("."), row.code
            assert row.code not in str(row.text) or not row.code


def test_a_debit_that_fails_on_its_way_opens_the_bill_again(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS D02: payable again, with the reason; nothing was ever posted, and it is told once."""
    payment = banking.sent(real_cast.alice, {bill: 5_000}, account="pm_usBankAccount_insufficientFunds")
    assert payment.status == "processing"
    payment = banking.settled(provider, payment)
    assert (payment.status, payment.failure_code) == ("failed", "insufficient_funds")
    assert balance(bill) == 18_500
    assert not Transfer.objects.filter(key__startswith="payment:").exists()
    assert Event.objects.filter(kind="payment.failed").count() == 1
    user = real_cast.alice.user
    assert checkout.begin(scope_of(user), payer=user, amounts={bill.number: 18_500}).amount_cents == 18_500


def test_a_late_return_opens_the_bill_again_and_keeps_the_history(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """FAULTS D03: dated on arrival, the member told why, what was paid and what went back both to be read."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    Payment.objects.filter(pk=payment.pk).update(effective_on=dt.date(2026, 10, 1))
    payment = banking.returned(provider, payment, "R01")
    assert payment.status == "returned"
    assert balance(bill) == 18_500
    back = Transfer.objects.get(code=Code.BANK_RETURN)
    assert back.effective_on == timezone.localdate()
    bill.receivable.refresh_from_db()
    labels = [(entry.label, entry.change_cents, entry.note) for entry in history.entries(bill)[1:]]
    assert labels == [
        ("Payment", -5_000, payment.number),
        ("Payment returned by your bank", 5_000, payment.number),
    ]
    told = receipts.of(payment, scope_of(real_cast.alice.user))
    assert str(return_codes.of("R01").text) == told.taken_back[0].told.meaning
    assert told.is_retryable
    assert Event.objects.filter(kind="payment.bank_returned").count() == 1


def test_a_return_told_ten_times_and_late_is_booked_once(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS C07, C11, M7: and news from before the return does not undo it."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    provider.post("bank_debits/return", payment_intent=payment.stripe_payment_intent_id, code="R01")
    [state] = gateway.disputes_of(payment.stripe_payment_intent_id or "")
    for _ in range(10):
        disputes.apply(payment.pk, state)
    disputes.apply(payment.pk, dataclasses.replace(state, status="needs_response", movements=()))
    assert (balance(bill), Transfer.objects.filter(code=Code.BANK_RETURN).count()) == (18_500, 1)
    assert Dispute.objects.get().status == "lost"


def test_a_return_that_we_hear_of_before_the_success_is_booked_after_it(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """FAULTS C09, C11: the payment is brought to its success first; before that nothing is taken back."""
    payment = banking.sent(real_cast.alice, {bill: 5_000})
    provider.post("clock/advance", seconds=60)
    provider.post("bank_debits/return", payment_intent=payment.stripe_payment_intent_id, code="R01")
    with pytest.raises(disputes.NotSettled):
        disputes.refresh(moving.current(payment.pk))
    disputes.refresh(sweeping.refresh(moving.current(payment.pk)))
    assert moving.current(payment.pk).status == "returned"
    assert balance(bill) == 18_500


def test_a_return_of_a_payment_of_several_bills_opens_each(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS D03: each bill owes what it was paid."""
    other = make_bill(real_cast.alice, 7_000)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000, other: 7_000})
    assert (balance(bill), balance(other)) == (13_500, 0)
    banking.returned(provider, payment)
    assert (balance(bill), balance(other)) == (18_500, 7_000)


def test_a_return_after_a_part_was_refunded_takes_the_whole(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS D11: the bank pays back what was refunded too; that is owed where it was refunded, and a person looks."""
    other = make_bill(real_cast.alice, 7_000)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000, other: 7_000})
    refunds.issue(payment, amount_cents=2_000, reason="asked", requested_by=real_cast.dana, bill=other)
    provider.post("clock/advance", seconds=60)
    refunds.refresh(payment)
    assert (balance(bill), balance(other)) == (13_500, 2_000)
    payment = banking.returned(provider, payment)
    assert payment.status == "returned"
    assert (balance(bill), balance(other)) == (18_500, 9_000)
    assert WorkItem.objects.filter(dedupe_key__startswith="back-twice:").count() == 1


def test_what_went_to_household_credit_is_taken_from_there(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """DESIGN 5: the receivable, or household credit for the part that went there (FAULTS A10)."""
    payment = banking.sent(real_cast.alice, {bill: 5_000})
    issuing.adjust(bill, amount_cents=15_500, key="a", on=bill.issued_on, reason="agreed", actor="user:0")
    payment = banking.settled(provider, payment)
    assert (balance(bill), credit_cents(real_cast)) == (0, 2_000)
    banking.returned(provider, payment)
    assert (balance(bill), credit_cents(real_cast)) == (3_000, 0)


def test_the_return_of_a_payment_of_a_void_bill_leaves_it_owing_nothing(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """FAULTS A10: its money had become credit, and is taken from there."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    issuing.void(bill, on=bill.issued_on, reason="issued in error", actor="user:0")
    assert credit_cents(real_cast) == 5_000
    banking.returned(provider, payment)
    assert (balance(bill), credit_cents(real_cast)) == (0, 0)


def test_a_return_that_the_bank_takes_back_pays_the_bill_again(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """M7: the credit back is the reversal; what was paid on the bill meanwhile is the household's."""
    payment = banking.paid(provider, real_cast.alice, {bill: 18_500})
    payment = banking.returned(provider, payment)
    banking.paid(provider, real_cast.alice, {bill: 18_500})
    [state] = gateway.disputes_of(payment.stripe_payment_intent_id or "")
    again = dataclasses.replace(state.movements[0], id="txn_again", amount_cents=18_500, fee_cents=0)
    disputes.apply(payment.pk, dataclasses.replace(state, status="won", movements=(*state.movements, again)))
    assert moving.current(payment.pk).status == "succeeded"
    assert (balance(bill), credit_cents(real_cast)) == (0, 18_500)
    assert dispute_wording.of(Dispute.objects.get()).tone == "good"


def test_an_unauthorized_debit_ends_the_account_and_is_not_tried_again(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """FAULTS D04, day 59: mandate dead, account blocked, autopay on it to end, no new debit, a person looks."""
    method = banking.save_account(real_cast.alice)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method, channel=Payment.Channel.AUTOPAY)
    provider.post("clock/advance", seconds=59 * 86400)
    payment = banking.returned(provider, payment, "R10")
    method.refresh_from_db()
    assert (method.is_ready, method.blocked_code) == (False, "R10")
    assert Mandate.objects.get(method=method).status == "inactive"
    assert not Payment.objects.filter(retry_of__isnull=False).exists()
    assert Event.objects.get(kind="bank.returned").data["autopay"] == "canceled"
    assert WorkItem.objects.filter(dedupe_key=f"returned:{payment.pk}").count() == 1
    assert balance(bill) == 18_500


@pytest.mark.parametrize("code", ["R02", "R03", "R04"])
def test_a_closed_account_is_stopped_and_never_tried_again(
    real_cast: Cast, provider: Server, bill: Bill, code: str
) -> None:
    """FAULTS D06. Its mandate was not withdrawn: another number of the same bank may still come."""
    method = banking.save_account(real_cast.alice)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method, channel=Payment.Channel.AUTOPAY)
    banking.returned(provider, payment, code)
    method.refresh_from_db()
    assert (method.is_ready, method.blocked_code) == (False, code)
    assert not Payment.objects.filter(retry_of__isnull=False).exists()


def test_a_closed_account_is_found_by_its_fingerprint(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """The account of a payment that was not made by the saved method is the same account."""
    method = banking.save_account(real_cast.alice, fingerprint="fp_same")
    other = banking.save_account(real_cast.alice, fingerprint="fp_same")
    others = banking.save_account(real_cast.bob, fingerprint="fp_same")
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method)
    banking.returned(provider, payment, "R02")
    ready = PaymentMethod.objects.ready()
    assert not ready.filter(pk__in=[method.pk, other.pk]).exists()
    assert ready.filter(pk=others.pk).exists()  # another member's business: its own debit will tell


def test_want_of_money_is_tried_again_on_paydays_and_twice_at_most(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """RULES 3.2: R01 and R09, two more times, the same amount, told; called off as any planned payment is."""
    method = banking.save_account(real_cast.alice)
    first = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method, channel=Payment.Channel.AUTOPAY)
    banking.returned(provider, first, "R01")
    retry = Payment.objects.get(retry_of=first)
    assert (retry.status, retry.retry_number, retry.amount_cents, retry.channel) == ("draft", 1, 5_000, "autopay")
    assert retry.scheduled_on == retries.next_payday(timezone.localdate())
    assert list(retry.allocations.values_list("bill_id", "amount_cents")) == [(bill.pk, 5_000)]
    assert Event.objects.filter(kind="payment.retry_planned").count() == 1
    second = banking.settled(provider, banking.send(retry, account="pm_usBankAccount_insufficientFunds"))
    assert second.status == "failed"
    third = Payment.objects.get(retry_of=first, retry_number=2)
    banking.settled(provider, banking.send(third, account="pm_usBankAccount_insufficientFunds"))
    assert Payment.objects.filter(retry_of=first).count() == 2
    method.refresh_from_db()
    assert method.is_ready


def test_a_payment_made_by_hand_is_offered_again_and_never_sent_again_by_itself(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """Decision 0601: a leave for one payment is not a leave for the next."""
    method = banking.save_account(real_cast.alice)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method)
    payment = banking.returned(provider, payment, "R01")
    assert not Payment.objects.filter(retry_of__isnull=False).exists()
    assert receipts.of(payment, scope_of(real_cast.alice.user)).is_retryable


def test_a_debit_of_half_a_year_ago_is_not_tried_again(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """RULES 3.2: within 180 days."""
    method = banking.save_account(real_cast.alice)
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method, channel=Payment.Channel.AUTOPAY)
    Payment.objects.filter(pk=payment.pk).update(submitted_at=timezone.now() - dt.timedelta(days=175))
    banking.returned(provider, moving.current(payment.pk), "R01")
    assert not Payment.objects.filter(retry_of__isnull=False).exists()


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (dt.date(2026, 11, 24), dt.date(2026, 12, 1)),
        (dt.date(2026, 11, 30), dt.date(2026, 12, 15)),
        (dt.date(2026, 12, 28), dt.date(2027, 1, 4)),  # New Year, then a weekend
        (dt.date(2027, 5, 6), dt.date(2027, 5, 17)),  # the 15th is a Saturday
    ],
)
def test_the_next_try_is_on_a_payday_that_banks_are_open(today: dt.date, expected: dt.date) -> None:
    """FAULTS E26: with three banking days to call it off."""
    assert retries.next_payday(today) == expected


def test_the_database_refuses_a_third_try(real_cast: Cast, bill: Bill) -> None:
    """RULES 3.2 past the code."""
    first = checkout.begin(
        scope_of(real_cast.alice.user), payer=real_cast.alice.user, amounts={bill.number: 5_000}
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(
            number="A", household=first.household, kind="medical", channel="autopay", amount_cents=1, retry_of=first,
            retry_number=3,
        )  # fmt: skip


def test_a_retry_is_sent_as_it_was_or_not_at_all(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """RULES 3.2: the same amount. What was paid meanwhile calls it off, and it cannot be changed."""
    method = banking.save_account(real_cast.alice)
    first = banking.paid(provider, real_cast.alice, {bill: 18_500}, method=method, channel=Payment.Channel.AUTOPAY)
    banking.returned(provider, first, "R01")
    retry = Payment.objects.get(retry_of=first)
    assert checkout._request(retry).statement == retries.DESCRIPTOR
    user = real_cast.alice.user
    with pytest.raises(scheduling.NotSchedulable):
        scheduling.change(
            retry, scope_of(user), on=retry.scheduled_on, amounts={bill.number: 1_000}, method=method
        )  # fmt: skip
    banking.paid(provider, real_cast.alice, {bill: 1_000})
    sending_due.send_due(today=retry.scheduled_on)
    assert moving.current(retry.pk).status == "canceled"
