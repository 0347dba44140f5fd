"""Taking queued charges and committing their payments: all that was true when they were queued is looked at again.

One transaction a batch, under the locks of the charges, their enrolments, the owners of the methods and the bills, in
that order. A charge is taken by its lock alone: a worker that dies before the commit has taken nothing, and after it
the payment stands with its key, so that the sweeper sends what was not sent (FAULTS A05 to A07, E14 to E17).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from activity.models import Event
from activity.recording import record_many
from bills import numbers
from bills.banking_days import is_banking_day
from ledger.locking import hold
from ledger.transactions import atomic_with_retry
from payments import checkout, eligibility
from payments.autopay import declining, failing, instalments
from payments.autopay.charge_sql import IS_CHOSEN, IS_ON, IS_USABLE, MAY_PAY, ON_ITS_WAY
from payments.models import Payment, PaymentAllocation, PaymentMethod
from payments.models.autopay import APPROVED, ChargeStatus
from payments.provider import ChargeRequest
from payments.states import PaymentStatus

ACTOR = "autopay"
BANK_ACCOUNT = PaymentMethod.Kind.BANK_ACCOUNT

TAKE = """
    SELECT c.id, c.enrollment_id, e.user_id, m.user_id, b.receivable_id, c.installment_id
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN payments_paymentmethod m ON m.id = coalesce(c.method_id, e.method_id)
    LEFT JOIN bills_bill b ON b.id = c.bill_id
    WHERE c.status = 'queued' ORDER BY c.id LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED
"""
HOLD_ENROLLMENTS = "SELECT id FROM payments_autopayenrollment WHERE id = ANY(%s) ORDER BY id FOR SHARE"
# Whoever changes a method locks its owner first (payments.blocking).
HOLD_OWNERS = "SELECT id FROM accounts_user WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"

# The method, and the customer that it is charged to. Another than the announced one is found and not charged.
METHOD = f"""
    LEFT JOIN LATERAL (
        SELECT x.* FROM unnest(ARRAY[c.method_id, e.method_id, e.fallback_id]) WITH ORDINALITY AS t (id, place)
        JOIN payments_paymentmethod x ON x.id = t.id WHERE {IS_USABLE} ORDER BY t.place LIMIT 1) m ON true
    LEFT JOIN payments_stripecustomer k ON k.user_id = m.user_id
"""  # noqa: S608  # constants
LOOK = f"""
    SELECT c.id, c.amount_cents, c.attempt, c.enrollment_id, e.user_id, e.attestation, c.household_id, b.id, b.kind,
        e.status, {IS_ON}, b.voided_at IS NOT NULL, b.held_since IS NOT NULL, b.on_plan_since IS NOT NULL, {IS_CHOSEN},
        {MAY_PAY}, e.limit_cents, c.code, a.balance_cents, a.balance_cents - {ON_ITS_WAY}, m.id, m.kind, m.brand,
        m.last4, m.wallet, m.label, m.stripe_id, m.user_id, k.stripe_id, c.installment_id,
        m.id = coalesce(c.method_id, e.method_id)
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN bills_bill b ON b.id = c.bill_id JOIN ledger_account a ON a.id = b.receivable_id
    JOIN accounts_member p ON p.id = b.member_id
    {METHOD}
    WHERE c.id = ANY(%(ids)s) ORDER BY c.id
"""  # noqa: S608  # constants
# The same of a plan's instalments: what is owed of one, its plan says (payments.autopay.instalments).
LOOK_AT_PARTS = f"""
    SELECT c.id, c.amount_cents, c.attempt, c.enrollment_id, e.user_id, e.attestation, c.household_id, 0, 'medical',
        e.status, {IS_ON}, false, false, false, true, true, e.limit_cents, c.code, 0, 0, m.id, m.kind, m.brand,
        m.last4, m.wallet, m.label, m.stripe_id, m.user_id, k.stripe_id, c.installment_id,
        m.id = coalesce(c.method_id, e.method_id)
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    {METHOD}
    WHERE c.id = ANY(%(ids)s) AND c.installment_id IS NOT NULL ORDER BY c.id
"""  # noqa: S608
SET_SENT = """
    UPDATE payments_autopaycharge c SET status = 'sent', payment_id = made.payment_id, method_id = made.method_id
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS made (id, payment_id, method_id) WHERE c.id = made.id
"""


class Look(NamedTuple):
    """A charge as it stands under its locks. Amounts in US cents; the method is null where none can be charged."""

    id: int
    amount_cents: int
    attempt: int
    enrollment_id: int
    user_id: int
    attestation: str
    household_id: int
    bill_id: int
    kind: str
    enrollment_status: str
    is_on: bool
    is_void: bool
    is_held: bool
    is_on_plan: bool
    is_chosen: bool
    may_pay: bool
    limit_cents: int | None
    code: str
    balance_cents: int
    payable_cents: int
    method_id: int | None
    method_kind: str
    method_brand: str
    method_last4: str
    method_wallet: str
    method_label: str
    method_stripe_id: str
    owner_id: int
    customer_id: str | None
    installment_id: int | None
    is_announced_method: bool | None  # null where none can be charged
    shares: Mapping[int, int] = {}  # of an instalment: US cents by bill

    @property
    def allocated(self) -> Mapping[int, int]:
        """What the payment is for, US cents by bill: never more than was announced, nor than is owed."""
        return self.shares or {self.bill_id: min(self.amount_cents, self.payable_cents)}

    @property
    def is_to_be_asked(self) -> bool:
        """Whether it is above the limit as it is now, and its member has not said yes to it."""
        is_above = self.limit_cents is not None and self.limit_cents < sum(self.allocated.values())
        return is_above and self.code != APPROVED


@dataclass(frozen=True, slots=True)
class Submitted:
    """A payment that is committed and is to be sent: its request needs nothing of the database any more."""

    payment_id: int
    request: ChargeRequest


@dataclass(slots=True)
class Batch:
    """What a batch came to: what is to be sent, how many were looked at, and who has no customer at the provider."""

    submitted: list[Submitted] = field(default_factory=list)
    looked_at: int = 0
    without_customer: set[int] = field(default_factory=set)


@atomic_with_retry
def submit(*, limit: int, today: dt.date) -> Batch:
    """Take up to `limit` queued charges, and commit a payment for each that is still to be charged.

    Those that are not, get their state and code; those on hold go back to wait.
    """
    looks = _looked_at(limit, today)
    are_banks_open = is_banking_day(today)
    batch = Batch(looked_at=len(looks))
    going: list[Look] = []
    for look in looks:
        if (outcome := _why_not(look, are_banks_open=are_banks_open)) is not None:
            failing.leave(look.id, *outcome, enrollment_id=look.enrollment_id, today=today)
        elif look.customer_id is None:
            batch.without_customer.add(look.owner_id)
        else:
            going.append(look)
    batch.submitted = _commit(going)
    return batch


def _looked_at(limit: int, today: dt.date) -> list[Look]:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"limit": limit})
        taken = cursor.fetchall()
        if not taken:
            return []
        cursor.execute(HOLD_ENROLLMENTS, [sorted({row[1] for row in taken})])
        cursor.execute(HOLD_OWNERS, [sorted({user for row in taken for user in row[2:4]})])
        parts = [row[5] for row in taken if row[5] is not None]
        hold({row[4] for row in taken if row[4] is not None} | (instalments.receivables(parts) if parts else set()))
        given: dict[str, Any] = {
            "ids": [row[0] for row in taken], "today": today, "year": today.year, "month": today.month,
            "hard": sorted(declining.HARD),
        }  # fmt: skip
        cursor.execute(LOOK, given)
        looks = [Look(*row) for row in cursor.fetchall()]
        if parts:
            cursor.execute(LOOK_AT_PARTS, given)
            looks += _of_plans([Look(*row) for row in cursor.fetchall()])
        return looks


def _of_plans(looks: Sequence[Look]) -> list[Look]:
    """Instalments with what their plans say, one of each plan: the next is looked at once this one is committed."""
    found: dict[int, Look] = {}
    for look in looks:
        assert look.installment_id is not None
        due = instalments.due(look.installment_id, most_cents=look.amount_cents)
        owed = due.open_cents if due.open_cents or not due.is_on_its_way else checkout.MIN_CENTS
        found.setdefault(
            due.plan_id,
            look._replace(
                is_on=look.is_on and not due.is_paused, is_void=due.is_gone, may_pay=due.is_payable,
                balance_cents=owed, payable_cents=sum(due.shares.values()), shares=due.shares,
            ),
        )  # fmt: skip
    return list(found.values())


def _why_not(look: Look, *, are_banks_open: bool) -> tuple[ChargeStatus, str] | None:
    """Why a charge is not made now, as its next state and a code; None where it is made."""
    rules = (
        (look.enrollment_status == "ended", ChargeStatus.NOT_NEEDED, "off"),
        (not look.is_on, ChargeStatus.ANNOUNCED, ""),
        (look.is_void, ChargeStatus.NOT_NEEDED, "void"),
        (not look.is_chosen, ChargeStatus.NOT_NEEDED, "not_chosen"),
        (not look.may_pay, ChargeStatus.NOT_NEEDED, "not_yours"),
        (look.is_held, ChargeStatus.ANNOUNCED, ""),
        (look.is_on_plan, ChargeStatus.NOT_NEEDED, "on_plan"),
        (look.balance_cents < checkout.MIN_CENTS, ChargeStatus.NOT_NEEDED, "paid_meanwhile"),
        # On its way: it is looked at again, since what is on its way may fail.
        (look.payable_cents < checkout.MIN_CENTS, ChargeStatus.ANNOUNCED, ""),
        (look.is_to_be_asked, ChargeStatus.ASKED, ""),
        (look.method_id is None, ChargeStatus.FAILED, "method_unusable"),
        # Its other method can be charged: it is announced first (payments.autopay.other_methods).
        (not look.is_announced_method, ChargeStatus.ANNOUNCED, ""),
        # After a pause or a hold that ended on such a day: it waits for the next banking day (RULES section 11).
        (look.method_kind == BANK_ACCOUNT and not are_banks_open, ChargeStatus.ANNOUNCED, ""),
    )
    for holds, status, code in rules:
        if holds:
            return status, code
    if look.method_label and not _is_eligible(look):
        return ChargeStatus.FAILED, "not_eligible"
    return None


def _is_eligible(look: Look) -> bool:
    """Whether pre-tax money may pay it: asked of the payment as it would be, which is then taken back."""
    with transaction.atomic():
        payment = _payment(look)
        payment.save()
        PaymentAllocation.objects.bulk_create(_allocations(look, payment))
        reason = eligibility.why_not([payment])
        transaction.set_rollback(True)
    return not reason


def _commit(looks: Sequence[Look]) -> list[Submitted]:
    """Write the payments, submitted with the key of their first attempt, each for one charge."""
    if not looks:
        return []
    payments = Payment.objects.bulk_create(_payment(look) for look in looks)
    PaymentAllocation.objects.bulk_create(
        allocation for look, payment in zip(looks, payments, strict=True) for allocation in _allocations(look, payment)
    )
    record_many(_event(payment) for payment in payments)
    with connection.cursor() as cursor:
        cursor.execute(
            SET_SENT,
            [[look.id for look in looks], [payment.pk for payment in payments], [look.method_id for look in looks]],
        )
    return [Submitted(payment.pk, _request(payment, look)) for look, payment in zip(looks, payments, strict=True)]


def _payment(look: Look) -> Payment:
    """The payment of a charge."""
    return Payment(
        number=numbers.draw(groups=3),
        household_id=look.household_id,
        payer_id=look.user_id,
        kind=look.kind,
        channel=Payment.Channel.AUTOPAY if look.installment_id is None else Payment.Channel.PLAN,
        status=PaymentStatus.SUBMITTED,
        amount_cents=sum(look.allocated.values()),
        method_id=look.method_id,
        method_kind=look.method_kind,
        method_brand=look.method_brand,
        method_last4=look.method_last4,
        method_wallet=look.method_wallet,
        method_label=look.method_label,
        attestation=look.attestation if look.method_label else "",
        **checkout.first_attempt(look.kind, look.method_kind),
    )


def _allocations(look: Look, payment: Payment) -> list[PaymentAllocation]:
    return [
        PaymentAllocation(payment=payment, bill_id=bill_id, amount_cents=cents)
        for bill_id, cents in look.allocated.items()
    ]


def _event(payment: Payment) -> Event:
    return Event(
        kind=f"payment.{PaymentStatus.SUBMITTED}",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        from_status=PaymentStatus.DRAFT,
        to_status=PaymentStatus.SUBMITTED,
        actor=ACTOR,
        reason="",
        data={"payment_id": payment.pk, "code": ""},
    )


def _request(payment: Payment, look: Look) -> ChargeRequest:
    assert look.customer_id is not None
    return ChargeRequest(
        key=payment.idempotency_key,
        amount_cents=payment.amount_cents,
        payment_number=payment.number,
        customer_id=look.customer_id,
        descriptor_suffix=settings.STRIPE_DESCRIPTORS[payment.kind],
        return_url=settings.PORTAL_URL + checkout.return_path(payment),
        method_id=look.method_stripe_id,
        is_off_session=True,
        attempt=payment.attempt,
        method_kind=payment.method_kind,
    )
