"""`check_ledger` finds nothing in a good book, and names each rule that is broken with the rows that break it.

Each test breaks one thing past the walls, as only a superuser can (`session_replication_role`), and must see it named:
in the whole, and in the day's check.
"""

import dataclasses
import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

import ledger
from accounts.models import User
from activity.models import WorkItem
from bills import issuing
from bills.models import Accumulator, Bill, Claim
from ledger.chart import Code
from payments import checks, settlement, taking_back
from payments.models import Check, Dispute, Payment, PaymentAllocation, Refund
from payments.provider import BalanceRow, Intent, MethodSummary
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.ledger.books import DAY, posting

LONG_AGO = timezone.now() - dt.timedelta(days=400)


@dataclasses.dataclass
class Household:
    """Alice's household: a bill of $100.00 with $60.00 paid, one of $30.00 overpaid by a race, $10.00 refunded."""

    bill: Bill
    small: Bill
    payment: Payment
    refund: Refund

    @property
    def balance_rows(self) -> list[BalanceRow]:
        """What the provider says of it."""
        rows = [("ch_1", "charge", 6_000, 204), ("ch_2", "charge", 4_000, 146), ("re_1", "refund", -1_000, 0)]
        return [
            BalanceRow(f"txn_{source}", kind, source, cents, fee, cents - fee, timezone.now() - dt.timedelta(hours=2))
            for source, kind, cents, fee in rows
        ]


def pay(cast: Cast, bill: Bill, cents: int, number: str) -> Payment:
    """A payment that succeeds, posted as the portal posts it."""
    payment = Payment.objects.create(
        number=f"P-{number}", household=cast.household, kind="medical", channel="web", amount_cents=cents,
        status=PaymentStatus.SUBMITTED, stripe_payment_intent_id=f"pi_{number}", payer=cast.alice.user,
    )  # fmt: skip
    PaymentAllocation.objects.create(payment=payment, bill=bill, amount_cents=cents)
    intent = Intent(f"pi_{number}", "succeeded", cents, cents, "", f"ch_{number}", "", payment.number, MethodSummary())
    return settlement.apply(payment.pk, intent)


@pytest.fixture
def household(cast: Cast) -> Household:
    """A good book with some of everything in it."""
    issue = {"member": cast.maya, "kind": "medical", "title": "Visit", "issued_on": DAY, "due_on": DAY, "source": "t"}
    bill = issuing.issue(amount_cents=10_000, source_id="1", **issue)
    small = issuing.issue(amount_cents=3_000, source_id="2", **issue)
    payment = pay(cast, bill, 6_000, "1")
    pay(cast, small, 4_000, "2")
    refund = Refund.objects.create(
        payment=payment, amount_cents=1_000, reason="test", status=Refund.Status.SUCCEEDED, stripe_refund_id="re_1"
    )
    taking_back.post(taking_back.of_refund(refund, on=refund.created_at.date()))
    Claim.objects.create(
        number="C", member=cast.maya, household=cast.household, kind="professional", service_on=DAY, source="t",
        source_id="1", source_version="1", deductible_cents=7_000, copay_cents=2_000, coinsurance_cents=1_000,
    )  # fmt: skip
    Accumulator.objects.create(member=cast.maya, year=DAY.year, deductible_cents=7_000, out_of_pocket_cents=10_000)
    Dispute.objects.create(payment=payment, stripe_dispute_id="dp_1", status="won", amount_cents=6_000)
    Payment.objects.update(settled_at=timezone.now() - dt.timedelta(hours=2))
    return Household(bill, small, payment, refund)


@contextmanager
def past_the_walls() -> Iterator[None]:
    """As a superuser may: no trigger fires, no foreign key is looked at; checks of a row are dropped."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in ("ledger_account", "ledger_transfer"):
            cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("DROP INDEX ledger_transfer_reversed_once")
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")


def broken(household: Household, *, since: dt.datetime | None = None) -> dict[str, str]:
    """The rules found broken, with their rows."""
    found = checks.run(since=since, deep=True, balance_rows=lambda _since: household.balance_rows)
    return {rule.rule: "; ".join(rule.rows) for rule in found}


def test_a_good_book_holds(household: Household) -> None:
    """The whole, the day, and with what the provider says."""
    assert broken(household) == {}
    assert broken(household, since=LONG_AGO) == {}
    assert broken(household, since=timezone.now() - dt.timedelta(hours=3)) == {}


BREAKS = {
    "balances": "UPDATE ledger_account SET balance_cents = balance_cents + 1 WHERE id = {bill}",
    "controls": "UPDATE ledger_account SET balance_cents = balance_cents + 1 WHERE id = {control}",
    "amounts": "UPDATE ledger_transfer SET amount_cents = -5000 WHERE key = 'bill:{bill_id}:issued'",
    "movements": "UPDATE ledger_transfer SET code = 71 WHERE key = 'bill:{bill_id}:issued'",
    "limits": "UPDATE ledger_account SET balance_cents = -1 WHERE id = {bill}",
    "tracking": "UPDATE ledger_account SET is_tracked = false WHERE id = {bill}",
    "reversals": "UPDATE ledger_transfer SET amount_cents = 499 WHERE key = 'undo'",
    "accounts": "UPDATE ledger_transfer SET debit_id = 99999999 WHERE key = 'bill:{bill_id}:issued'",
    "sides": "UPDATE ledger_transfer SET credit_id = {credit} WHERE code = 20",
    "charges": "UPDATE bills_bill SET amount_cents = amount_cents + 1 WHERE id = {bill_id}",
    "deductibles": "UPDATE bills_accumulator SET deductible_cents = 6999",
    "payments": "UPDATE payments_payment SET amount_cents = amount_cents + 1 WHERE id = {payment_id}",
    "refunds": "UPDATE payments_refund SET amount_cents = amount_cents + 1",
    "returns and disputes": "UPDATE payments_dispute SET booked_cents = 1, booked_at = now()",
    "returned payments": "UPDATE payments_dispute SET booked_cents = 1, booked_at = now()",
    "allocations": "UPDATE payments_paymentallocation SET amount_cents = 5999 WHERE payment_id = {payment_id}",
}


@pytest.mark.parametrize("rule", BREAKS)
def test_a_broken_rule_is_named_with_its_row(household: Household, rule: str) -> None:
    """FAULTS M1 to M6: also in the check of the day."""
    bill = household.bill
    paid = ledger.post(posting(bill.receivable_id, 7, 500, Code.RETURN_FEE, "fee", bill.household_id))
    ledger.reverse(paid.id, key="undo", reference="bill:TEST", effective_on=DAY)
    names = {
        "bill": bill.receivable_id, "control": bill.receivable.control_id, "bill_id": bill.pk,
        "payment_id": household.payment.pk, "credit": bill.household.credit_id,
    }  # fmt: skip
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute(BREAKS[rule].format(**names))
        assert cursor.rowcount > 0
    assert rule in broken(household)
    assert rule in broken(household, since=LONG_AGO)


def test_it_names_the_row_and_says_what_is_wrong(household: Household) -> None:
    """A person has to find it."""
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET balance_cents = 1 WHERE id = %s", [household.bill.receivable_id])
        cursor.execute("UPDATE bills_bill SET amount_cents = 9 WHERE id = %s", [household.small.pk])
    found = broken(household)
    assert found["balances"] == f"account {household.bill.receivable_id}: holds 1, its transfers sum to 5000"
    assert found["charges"] == f"bill {household.small.number}: is of 9 cents, charged 3000 in 1 transfer"


MORE = {
    "a payment posted twice": ("payments", "code = 20"),
    "a bill charged twice": ("charged once", "code = 10"),
    "a refund posted twice": ("refunds", "code = 30"),
}


@pytest.mark.parametrize("what", MORE)
def test_what_is_posted_twice_is_found(household: Household, what: str) -> None:
    """FAULTS M4, M6: once, not twice and not never."""
    (rule, where), table = MORE[what], "ledger_transfer"
    columns = "debit_id, credit_id, amount_cents, owner_id, code, effective_on, reference"
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}, key) SELECT {columns}, key || '2' FROM {table} WHERE {where}")
    assert rule in broken(household)
    assert {rule, "charges"} & set(broken(household, since=LONG_AGO))


@pytest.mark.parametrize(("rule", "code"), [("payments", 20), ("charged once", 10), ("refunds", 30)])
def test_what_was_never_posted_is_found(household: Household, rule: str, code: int) -> None:
    """FAULTS M11: a status without its transfer."""
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_transfer WHERE code = %s", [code])
    assert rule in broken(household)
    assert {rule, "charges"} & set(broken(household, since=LONG_AGO))


def test_a_payment_posted_before_it_succeeded_is_found(household: Household) -> None:
    """FAULTS M9."""
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_payment SET status = 'failed' WHERE id = %s", [household.payment.pk])
    assert household.payment.number in broken(household)["payments"]


def provider_says(household: Household, change: str) -> dict[str, str]:
    """The rules found broken where the provider's rows are changed so."""
    rows = household.balance_rows
    if change == "unknown here":
        rows.append(dataclasses.replace(rows[0], id="txn_9", source_id="ch_9"))
    elif change == "unknown there":
        rows.pop(0)
    elif change == "differs by a cent":
        rows[0] = dataclasses.replace(rows[0], amount_cents=6_001)
    elif change == "refund unknown here":
        rows.append(dataclasses.replace(rows[2], id="txn_9", source_id="re_9"))
    elif change == "dispute not booked":
        rows.append(dataclasses.replace(rows[2], id="txn_9", source_id="dp_9", type="adjustment"))
    elif change == "unknown here, a minute old":
        rows.append(dataclasses.replace(rows[0], id="txn_9", source_id="ch_9", created_at=timezone.now()))
    found = checks.run(balance_rows=lambda _since: rows)
    return {rule.rule: "; ".join(rule.rows) for rule in found}


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        ("unknown here", "charges at the provider", "charge ch_9: of 6000 cents at the provider is unknown here"),
        ("unknown there", "charges at the provider", "payment P-1 of 6000 cents is unknown to the provider"),
        ("differs by a cent", "charges at the provider", "payment P-1 of 6000 cents is of 6001 at the provider"),
        (
            "refund unknown here",
            "refunds at the provider",
            "refund re_9: of 1000 cents at the provider is unknown here",
        ),
        (
            "dispute not booked",
            "disputes at the provider",
            "dispute dp_9: of 1000 cents at the provider is unknown here",
        ),
        ("dispute not booked", "clearing", "holds 9000 cents before fees and payouts, the provider 8000"),
    ],
)
def test_a_difference_from_the_provider_is_found(household: Household, change: str, rule: str, words: str) -> None:
    """FAULTS D19, D20, D21, M5, M17."""
    assert words in provider_says(household, change)[rule]


def test_what_the_provider_did_a_minute_ago_may_still_be_on_its_way(household: Household) -> None:
    """The webhook has not arrived: no alarm yet."""
    assert provider_says(household, "unknown here, a minute old") == {}


def test_more_fees_than_the_provider_took_are_found(household: Household) -> None:
    """FAULTS M17."""
    ledger.post(posting(11, 1, 350, Code.STRIPE_FEE, "fees:1", 0))
    assert broken(household) == {}
    ledger.post(posting(11, 1, 1, Code.STRIPE_FEE, "fees:2", 0))
    assert broken(household)["fees and payouts"] == "fees: 351 cents booked, 350 at the provider"


def run_command(*options: str) -> str:
    """The command's output."""
    out = io.StringIO()
    call_command("check_ledger", "--without-stripe", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_says_that_the_book_holds(household: Household) -> None:
    """And that Stripe was left out."""
    for options in ([], ["--deep"], ["--since", "2026-01-01"]):
        text = run_command(*options)
        assert "The book holds" in text
        assert "Skipped: the clearing account" in text


def test_the_command_fails_and_names_each_broken_rule(household: Household) -> None:
    """Exit code 1: Django's CommandError."""
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET balance_cents = 1 WHERE id = %s", [household.bill.receivable_id])
    out = io.StringIO()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("check_ledger", "--without-stripe", stdout=out, stderr=out)
    assert "BROKEN  balances: Every tracked balance is the sum of its transfers." in out.getvalue()
    assert f"account {household.bill.receivable_id}: holds 1" in out.getvalue()


def test_a_paper_check_without_its_money_is_found(household: Household) -> None:
    """The lockbox account and the checks, the one against the other."""
    clerk = User.objects.create_user("clerk@example.com")
    Check.objects.create(
        number="1", amount_cents=100, received_on=timezone.localdate(), identity="1", status="unmatched",
        recorded_by=clerk,
    )  # fmt: skip
    assert broken(household)["paper checks"] == "lockbox: holds 0 cents, the checks are of 100"


def test_every_rule_has_been_broken_once() -> None:
    """A rule that no test breaks may be no rule at all. Two share their query with the one before them."""
    proved = {*BREAKS, *(rule for rule, _where in MORE.values()), "paper checks"}
    assert {rule.name for rule in checks.ALL} - proved == {"trial balance", "out of pocket"}


def test_a_broken_rule_becomes_work_for_staff_once_a_day(household: Household) -> None:
    """FAULTS M10: nobody has to read a log. The provider cannot be asked inside this test's transaction."""
    with past_the_walls(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET balance_cents = 1 WHERE id = %s", [household.bill.receivable_id])
    for rule in checks.run():
        checks.report(rule)
        checks.report(rule)
    items = WorkItem.objects.filter(kind=WorkItem.Kind.LEDGER)
    assert {item.subject for item in items} == {"ledger:balances", "ledger:trial balance", "ledger:controls"}
    assert items.count() == 3
    assert f"account {household.bill.receivable_id}: holds 1" in items.get(subject="ledger:balances").detail
