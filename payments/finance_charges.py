"""Interest and late fees on what is past due: none unless an operator set terms for the state, within the law's cap.

Assessed set by set for a month that is over, on bills that were past due all of it: never on a bill on a plan, on hold
(a dispute, a pending application, a review) at any time of that month, with money on its way, nor a Medicare premium.
Interest bears no interest. Once a bill and month, whatever runs twice; each with its reason, and reversible.
"""

import datetime as dt
from typing import Any

from django.db import connection
from django.utils import timezone

import ledger
from accounts.models import User
from activity.recording import record, record_query
from bills import relief
from bills.models import Bill, FinanceCharge
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.models import Transfer
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments.states import IN_FLIGHT

CHUNK_SIZE = 2_000

# Bills past due for all of the month, under terms that charge something, in the order of their ids.
CANDIDATES = """
    SELECT b.id, b.receivable_id
    FROM ledger_account a JOIN bills_bill b ON b.receivable_id = a.id
    JOIN accounts_household h ON h.id = b.household_id
    JOIN LATERAL (SELECT r.* FROM bills_chargerule r WHERE r.state = h.state AND r.effective_from <= %(first)s
                  ORDER BY r.effective_from DESC LIMIT 1) r ON r.rate_bp > 0 OR r.late_fee_cents > 0
    WHERE a.balance_cents > 0 AND a.matures_on < %(first)s AND b.id > %(after)s
      AND b.due_on + r.after_days < %(first)s
    ORDER BY b.id LIMIT %(size)s
"""
CHARGE = """
    INSERT INTO bills_financecharge (bill_id, kind, month, rule_id, rate_bp, base_cents, amount_cents, charged_on,
                                     waived_reason)
    SELECT b.id, c.kind, %(first)s, r.id, c.rate_bp, s.base_cents, c.cents, %(on)s, ''
    FROM bills_bill b
    JOIN ledger_account a ON a.id = b.receivable_id
    JOIN accounts_household h ON h.id = b.household_id
    LEFT JOIN accounts_coverage v ON v.id = b.coverage_id
    JOIN LATERAL (SELECT r.* FROM bills_chargerule r WHERE r.state = h.state AND r.effective_from <= %(first)s
                  ORDER BY r.effective_from DESC LIMIT 1) r ON true
    CROSS JOIN LATERAL (
        SELECT a.balance_cents - coalesce((SELECT sum(f.amount_cents) FROM bills_financecharge f
                                           WHERE f.bill_id = b.id AND f.waived_at IS NULL), 0)::bigint AS base_cents) s
    CROSS JOIN LATERAL (VALUES ('interest', r.rate_bp, s.base_cents * r.rate_bp / 120000),
                               ('late_fee', 0, r.late_fee_cents::bigint)) c (kind, rate_bp, cents)
    WHERE b.id = ANY(%(bills)s) AND c.cents > 0 AND s.base_cents > 0
      AND b.due_on + r.after_days < %(first)s
      AND b.voided_at IS NULL AND b.on_plan_since IS NULL AND b.held_since IS NULL
      AND coalesce(v.kind, '') NOT LIKE 'medicare%%'
      AND NOT EXISTS (SELECT 1 FROM bills_hold k WHERE k.bill_id = b.id AND k.ended_at >= %(first_at)s)
      AND NOT EXISTS (SELECT 1 FROM payments_planbill q WHERE q.bill_id = b.id
                      AND (q.removed_at IS NULL OR q.removed_at >= %(first_at)s))
      AND NOT EXISTS (
        SELECT 1 FROM payments_paymentallocation l JOIN payments_payment p ON p.id = l.payment_id
        WHERE l.bill_id = b.id AND (p.status = ANY(%(in_flight)s) OR (p.status = 'draft' AND p.scheduled_on >= %(on)s)))
    ON CONFLICT DO NOTHING RETURNING id
"""
POST = """
    SELECT b.receivable_id, %(revenue)s::bigint, f.amount_cents, b.household_id, %(code)s::smallint, %(on)s::date,
           'bill:' || b.id || ':' || f.kind || ':' || to_char(f.month, 'YYYY-MM'), 'bill:' || b.number, NULL::bigint
    FROM bills_financecharge f JOIN bills_bill b ON b.id = f.bill_id WHERE f.id = ANY(%(ids)s) ORDER BY f.id
"""
EVENTS = """
    SELECT 'bill.finance_charged', 'bill:' || b.number, b.household_id, %(actor)s,
           jsonb_build_object('bill_id', b.id, 'charge_id', f.id)
    FROM bills_financecharge f JOIN bills_bill b ON b.id = f.bill_id WHERE f.id = ANY(%(ids)s) ORDER BY f.id
"""


def assess(on: dt.date, *, chunk_size: int = CHUNK_SIZE, actor: str = "system") -> int:
    """Charge what the month before `on` calls for; how many charges are new. Charges of voided bills are taken off."""
    first = (on.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    made, after = 0, 0
    while True:
        last, new = _assess_chunk(first, on, after=after, size=chunk_size, actor=actor)
        made += new
        if last is None:
            break
        after = last
    for charge in FinanceCharge.objects.standing().filter(bill__voided_at__isnull=False).order_by("pk"):
        waive(charge, on=on, actor=actor, reason="The bill was withdrawn.")
    return made


@atomic_with_retry
def _assess_chunk(first: dt.date, on: dt.date, *, after: int, size: int, actor: str) -> tuple[int | None, int]:
    """One chunk in a transaction of its own; the last bill looked at, None where there was none, and charges made."""
    params: dict[str, Any] = {
        "first": first, "first_at": timezone.make_aware(dt.datetime.combine(first, dt.time.min)), "on": on,
        "after": after, "size": size, "in_flight": list(IN_FLIGHT), "actor": actor,
        "revenue": system_id(SystemAccount.FINANCE_CHARGE_REVENUE), "code": int(Code.FINANCE_CHARGE),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, params)
        found = cursor.fetchall()
        if not found:
            return None, 0
        hold([receivable_id for _bill_id, receivable_id in found])  # a payment sent meanwhile waits, or is seen
        params["bills"] = [bill_id for bill_id, _receivable_id in found]
        cursor.execute(CHARGE, params)
        params["ids"] = [row[0] for row in cursor.fetchall()]
    if params["ids"]:
        ledger.post_query(POST, params)
        record_query(EVENTS, params)
    return found[-1][0], len(params["ids"])


@atomic_with_retry
def waive(charge: FinanceCharge, *, on: dt.date, actor: str, reason: str, by: User | None = None) -> bool:
    """Take a charge off again, whole; what was paid of it becomes household credit. False where it was before."""
    bill = Bill.objects.select_related("household").get(pk=charge.bill_id)
    balances = hold([bill.receivable_id, bill.household.credit_id or 0])
    if (
        not FinanceCharge.objects.standing()
        .filter(pk=charge.pk)
        .update(waived_at=timezone.now(), waived_by=by, waived_reason=reason[:500])
    ):
        return False
    key = key_of(charge)
    charged = Transfer.objects.get(owner_id=bill.household_id, key=key)
    postings = [
        relief.posting_for(
            bill, Code.FINANCE_CHARGE_WAIVED, charge.amount_cents, f"{key}:waived", on, charged.credit_id,
            charged.debit_id, reverses_id=charged.pk,
        )
    ]  # fmt: skip
    if (over := charge.amount_cents - balances[bill.receivable_id]) > 0:
        assert bill.household.credit_id is not None
        postings.append(
            relief.posting_for(
                bill, Code.CREDIT_RAISED, over, f"{key}:waived:over", on, bill.receivable_id, bill.household.credit_id
            )
        )
    ledger.post_many(postings)
    record(
        "bill.finance_charge_waived", subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=actor,
        reason=reason[:500], bill_id=bill.pk, charge_id=charge.pk,
    )  # fmt: skip
    return True


def key_of(charge: FinanceCharge) -> str:
    """The key of the transfer that charged it."""
    return f"bill:{charge.bill_id}:{charge.kind}:{charge.month:%Y-%m}"
