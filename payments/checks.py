"""What must be so between payments and the book, and the whole of `check_ledger`."""

import datetime as dt
from collections.abc import Callable, Iterable

from django.utils import timezone

import bills.checks
import ledger.checks
from activity.models import WorkItem
from activity.recording import open_work
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.checks import TEXT_WEIGHT, TRANSFERS, WEIGHT, Broken, Rule, Sum
from payments import clearing, gateway
from payments.provider import BalanceRow, GatewayError
from payments.states import SETTLED
from payments.taking_back import POSTED


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_SETTLED = f"status IN ({_listed(SETTLED)})"
# A paper check is posted by its payments too; the lockbox's other movements are about no payment.
_POSTED = (
    f"(code IN ({int(Code.PAYMENT)}, {int(Code.OVERPAYMENT)})"
    f" OR (code = {int(Code.LOCKBOX_PAYMENT)} AND reference LIKE 'payment:%%')) AND reverses_id IS NULL"
)
_BROKEN_PAYMENT = f"""
    SELECT 'payment ' || p.number, 'is ' || p.status || ', of ' || p.amount_cents || ' cents, posted ' || t.cents
    FROM {{payments}} p CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents), 0) AS cents FROM {TRANSFERS} t
        WHERE t.owner_id = p.household_id AND t.reference = 'payment:' || p.number AND {_POSTED}
    ) t WHERE t.cents <> CASE WHEN {_SETTLED} THEN p.amount_cents ELSE 0 END
    UNION ALL
    SELECT 'transfer ' || t.id, 'posts ' || t.reference || ', which is no payment of owner ' || t.owner_id
    FROM {TRANSFERS} t WHERE {_POSTED} {{day}} AND NOT EXISTS (
        SELECT FROM payments_payment p WHERE 'payment:' || p.number = t.reference AND p.household_id = t.owner_id)
"""  # noqa: S608  # here and below: the parts are constants
_OF_THE_DAY = f"""(
    SELECT * FROM payments_payment WHERE settled_at >= %(since)s
    UNION SELECT p.* FROM {TRANSFERS} t JOIN payments_payment p ON p.number = substr(t.reference, 9)
    WHERE {_POSTED} AND t.created_at >= %(since)s)
"""  # noqa: S608

_SENT_BACK = f"code IN ({int(Code.REFUND)}, {int(Code.CREDIT_REFUND)})"
_REFUNDED = f"r.status IN ({_listed(POSTED)})"
_REFUNDS = "payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
_REFERENCE = "'refund:' || r.id || ' of payment:' || p.number"
_SIGNED = "CASE WHEN reverses_id IS NULL THEN amount_cents ELSE -amount_cents END"
_BROKEN_REFUND = f"""
    SELECT 'refund ' || r.id, 'is ' || r.status || ', of ' || r.amount_cents || ' cents, posted ' || t.cents
    FROM {_REFUNDS} CROSS JOIN LATERAL (
        SELECT coalesce(sum({_SIGNED}), 0) AS cents FROM {TRANSFERS} t
        WHERE t.owner_id = p.household_id AND t.reference = {_REFERENCE} AND {_SENT_BACK}
    ) t WHERE t.cents <> CASE WHEN {_REFUNDED} THEN r.amount_cents ELSE 0 END {{day}}
"""  # noqa: S608

_LOCKBOX = SYSTEM_ACCOUNT_IDS[SystemAccount.LOCKBOX]  # what banks take of paper checks is in the rule about checks
_TAKEN = f"code IN ({int(Code.BANK_RETURN)}, {int(Code.DISPUTE)}) AND {_LOCKBOX} NOT IN (debit_id, credit_id)"
_DISPUTES = "payments_dispute d JOIN payments_payment p ON p.id = d.payment_id"
_OF_DISPUTE = "'dispute:' || d.id || ' of payment:' || p.number"
_BROKEN_DISPUTE = f"""
    SELECT d.kind || ' ' || d.id, 'is ' || d.status || ', took ' || d.booked_cents || ' cents, posted ' || t.cents
    FROM {_DISPUTES} CROSS JOIN LATERAL (
        SELECT coalesce(sum({_SIGNED}), 0) AS cents FROM {TRANSFERS} t
        WHERE t.owner_id = p.household_id AND t.reference = {_OF_DISPUTE} AND {_TAKEN}
    ) t WHERE t.cents <> d.booked_cents {{day}}
"""  # noqa: S608
# A return or dispute that took money is to be seen in what its payment is called.
_BROKEN_STATE = """
    SELECT 'payment ' || p.number, 'is ' || p.status || ', and ' || d.kind || ' ' || d.id || ' took ' || d.booked_cents
    FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
    WHERE d.booked_cents > 0 AND p.status NOT IN ('returned', 'disputed') {day}
"""

_BROKEN_ALLOCATION = """
    SELECT 'payment ' || p.number, 'is of ' || p.amount_cents || ' cents, its allocations of ' || a.cents
           || ', its part for household credit of ' || p.credit_cents
    FROM payments_payment p CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents), 0) AS cents FROM payments_paymentallocation a WHERE a.payment_id = p.id
    ) a WHERE a.cents + p.credit_cents <> p.amount_cents {day}
"""

_IN_LOCKBOX = (
    f"coalesce(sum(amount_cents) FILTER (WHERE debit_id = {_LOCKBOX}), 0)"
    f" - coalesce(sum(amount_cents) FILTER (WHERE credit_id = {_LOCKBOX}), 0)"
)
_CHECKS = "sum(amount_cents) FILTER (WHERE status <> 'returned')"

RULES: tuple[Rule, ...] = (
    Rule(
        name="payments",
        sentence="Every succeeded payment is posted exactly once and for its amount, and no other is.",
        left=Sum(
            TRANSFERS, f"sum(amount_cents * {TEXT_WEIGHT.format('substr(reference, 9)')}) FILTER (WHERE {_POSTED})"
        ),
        right=Sum("payments_payment", f"sum(amount_cents * {TEXT_WEIGHT.format('number')}) FILTER (WHERE {_SETTLED})"),
        broken=_BROKEN_PAYMENT.format(payments="payments_payment", day=""),
        broken_since=_BROKEN_PAYMENT.format(payments=_OF_THE_DAY, day="AND t.created_at >= %(since)s"),
    ),
    Rule(
        name="refunds",
        sentence="Every refund that is not failed is posted exactly once and for its amount.",
        left=Sum(TRANSFERS, f"sum(({_SIGNED}) * {TEXT_WEIGHT.format('reference')}) FILTER (WHERE {_SENT_BACK})"),
        right=Sum(_REFUNDS, f"sum(r.amount_cents * {TEXT_WEIGHT.format(_REFERENCE)}) FILTER (WHERE {_REFUNDED})"),
        broken=_BROKEN_REFUND.format(day=""),
        broken_since=_BROKEN_REFUND.format(day="AND r.created_at >= %(since)s"),
    ),
    Rule(
        name="returns and disputes",
        sentence="What banks took of payments is posted exactly once and for its amount.",
        left=Sum(TRANSFERS, f"sum(({_SIGNED}) * {TEXT_WEIGHT.format('reference')}) FILTER (WHERE {_TAKEN})"),
        right=Sum(_DISPUTES, f"sum(d.booked_cents * {TEXT_WEIGHT.format(_OF_DISPUTE)})"),
        broken=_BROKEN_DISPUTE.format(day=""),
        broken_since=_BROKEN_DISPUTE.format(day="AND d.booked_at >= %(since)s"),
    ),
    Rule(
        name="returned payments",
        sentence="A payment of which a bank took money is called returned or disputed.",
        broken=_BROKEN_STATE.format(day=""),
        broken_since=_BROKEN_STATE.format(day="AND d.booked_at >= %(since)s"),
    ),
    Rule(
        name="allocations",
        sentence="Every payment's allocations, and what of it is for household credit alone, sum to its amount.",
        left=Sum("payments_paymentallocation", f"sum(amount_cents * {WEIGHT.format('payment_id')})"),
        right=Sum("payments_payment", f"sum((amount_cents - credit_cents) * {WEIGHT.format('id')})"),
        broken=_BROKEN_ALLOCATION.format(day=""),
        broken_since=_BROKEN_ALLOCATION.format(day="AND p.settled_at >= %(since)s"),
    ),
    Rule(
        name="paper checks",
        sentence="The lockbox holds the paper checks that were not returned, for their amounts.",
        left=Sum(TRANSFERS, _IN_LOCKBOX),
        right=Sum("payments_check", _CHECKS),
        broken=f"""
            SELECT 'lockbox', 'holds ' || b.cents || ' cents, the checks are of ' || c.cents
            FROM (SELECT {_IN_LOCKBOX} AS cents FROM {TRANSFERS}) b,
                 (SELECT coalesce({_CHECKS}, 0) AS cents FROM payments_check) c WHERE b.cents <> c.cents
        """,  # noqa: S608
        broken_since="SELECT '', '' WHERE false",
    ),
)
ALL: tuple[Rule, ...] = (*ledger.checks.RULES, *bills.checks.RULES, *RULES)


def run(
    *,
    since: dt.datetime | None = None,
    deep: bool = False,
    balance_rows: Callable[[dt.datetime | None], Iterable[BalanceRow]] | None = None,
    on_rule: Callable[[str], object] = lambda name: None,
) -> list[Broken]:
    """Every rule of every app, and, given where the provider's rows come from, the clearing account against them.

    Raises what `balance_rows` raises, before anything is checked.
    """
    if balance_rows is None:
        return ledger.checks.run(ALL, since=since, deep=deep, on_rule=on_rule)
    with clearing.fetched(balance_rows(since and since - clearing.MARGIN)) as until:
        rules = clearing.rules(until=until)
        return ledger.checks.run((*ALL, *rules), since=since, deep=deep, on_rule=on_rule)


def watch(*, since: dt.datetime | None = None) -> list[Broken]:
    """Run every rule, and open a work item for each that is broken: once a rule and day. For the beat schedule."""
    try:
        broken = run(since=since, balance_rows=gateway.balance_rows)
    except GatewayError:
        broken = run(since=since)
    for rule in broken:
        report(rule)
    return broken


def report(rule: Broken) -> None:
    """Open a work item for a broken rule: one a rule and day."""
    open_work(
        WorkItem.Kind.LEDGER,
        subject=f"ledger:{rule.rule}",
        dedupe_key=f"ledger:{rule.rule}:{timezone.localdate()}",
        detail="\n".join((rule.sentence, *rule.rows)),
    )
