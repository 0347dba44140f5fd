"""What must be so between payments and the book, and the whole of `check_ledger`."""

import datetime as dt
from collections.abc import Callable, Iterable

from django.utils import timezone

import bills.checks
import ledger.checks
from activity.models import WorkItem
from activity.recording import open_work
from ledger.chart import Code
from ledger.checks import TEXT_WEIGHT, TRANSFERS, WEIGHT, Broken, Rule, Sum
from payments import clearing, gateway
from payments.provider import BalanceRow, GatewayError
from payments.refund_postings import POSTED
from payments.states import SETTLED


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_SETTLED = f"status IN ({_listed(SETTLED)})"
_POSTED = f"code IN ({int(Code.PAYMENT)}, {int(Code.OVERPAYMENT)}) AND reverses_id IS NULL"
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

_BROKEN_ALLOCATION = """
    SELECT 'payment ' || p.number, 'is of ' || p.amount_cents || ' cents, its allocations of ' || a.cents
    FROM payments_payment p CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents), 0) AS cents FROM payments_paymentallocation a WHERE a.payment_id = p.id
    ) a WHERE a.cents <> p.amount_cents {day}
"""

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
        name="allocations",
        sentence="Every payment's allocations sum to its amount.",
        left=Sum("payments_paymentallocation", f"sum(amount_cents * {WEIGHT.format('payment_id')})"),
        right=Sum("payments_payment", f"sum(amount_cents * {WEIGHT.format('id')})"),
        broken=_BROKEN_ALLOCATION.format(day=""),
        broken_since=_BROKEN_ALLOCATION.format(day="AND p.settled_at >= %(since)s"),
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
