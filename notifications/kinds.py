"""Every kind of notice in one table: what it is called, which events make it, whom it is told to, and by which rules.

To add a kind: one row in KINDS, and three templates in `templates/mail/<name>/` (subject.txt, body.txt, body.html).
Nothing else: events, preferences, the in-app list, sending and the tests read this table.
"""

from dataclasses import dataclass
from enum import Enum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications import audience
from notifications.audience import Audience
from payments.states import SETTLED, PaymentStatus


class Topic(models.TextChoices):
    """Under which heading a kind stands among the preferences and the filters of the list."""

    BILLS = "bills", _("Bills and due dates")
    PAYMENTS = "payments", _("Payments and refunds")
    METHODS = "methods", _("Payment methods")
    SECURITY = "security", _("Security and settings")
    SUMMARIES = "summaries", _("Summaries")


class Bill(Enum):
    """What must hold of the bill that a notice is about, at the moment of sending."""

    ANY = "any"
    OWED = "owed"  # something is to be paid that is not on its way, and it is neither void nor on hold
    DUE = "due"  # and it is not past due yet
    PAST_DUE = "past due"  # and it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of notice."""

    name: str  # at most 40 characters: Notification.kind, and the folder of its templates
    label: str | Promise  # what the list and the preferences call it
    topic: Topic
    events: tuple[str, ...] = ()  # the events that make it; none: something else does (reminders, the digest)
    told: Audience | None = None
    is_required: bool = False  # cannot be switched off: the law, or safety of the account, asks for it
    is_security: bool = False  # heeds no quiet hours
    is_on_at_first: bool = True  # mailed to who has said nothing about it
    may_state_amount: bool = False  # where the member asked for amounts
    true_in: frozenset[str] | None = None  # in which states of its payment it is still true; None: in all
    bill: Bill = Bill.ANY  # what must hold of its bill for it to be still true
    days: int | None = None  # a reminder: so many days before the bill is due, or after (negative)
    folder: str = ""  # of the templates, where several kinds share them

    @property
    def templates(self) -> str:
        """The folder of its templates under templates/mail/."""
        return self.folder or self.name


NEVER_RETURNED = frozenset(map(str, SETTLED)) - {str(PaymentStatus.RETURNED)}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        # Bills: made by bill_notices.py, set by set
        Kind(
            name="new_bill", label=_("A new bill is ready"), topic=Topic.BILLS, is_required=True,
            may_state_amount=True, bill=Bill.OWED,
        ),
        Kind(
            name="due_in_7_days", label=_("A bill is due in 7 days"), topic=Topic.BILLS, folder="due_soon", days=7,
            may_state_amount=True, bill=Bill.DUE,
        ),
        Kind(
            name="due_in_3_days", label=_("A bill is due in 3 days"), topic=Topic.BILLS, folder="due_soon", days=3,
            may_state_amount=True, bill=Bill.DUE,
        ),
        Kind(
            name="due_tomorrow", label=_("A bill is due tomorrow"), topic=Topic.BILLS, folder="due_soon", days=1,
            may_state_amount=True, bill=Bill.DUE,
        ),
        Kind(
            name="due_today", label=_("A bill is due today"), topic=Topic.BILLS, days=0, may_state_amount=True,
            bill=Bill.DUE,
        ),
        Kind(
            name="past_due_1_day", label=_("A bill is 1 day past due"), topic=Topic.BILLS, folder="past_due", days=-1,
            may_state_amount=True, bill=Bill.PAST_DUE,
        ),
        Kind(
            name="past_due_7_days", label=_("A bill is 7 days past due"), topic=Topic.BILLS, folder="past_due",
            days=-7, may_state_amount=True, bill=Bill.PAST_DUE,
        ),
        Kind(
            name="past_due_30_days", label=_("A bill is 30 days past due"), topic=Topic.BILLS, folder="past_due",
            days=-30, may_state_amount=True, bill=Bill.PAST_DUE, is_required=True,
        ),
        # Payments
        Kind(
            name="receipt", label=_("Your payment receipt"), topic=Topic.PAYMENTS, events=("payment.succeeded",),
            told=audience.payer_of_checkout, is_required=True, may_state_amount=True, true_in=NEVER_RETURNED,
        ),
        Kind(
            name="guest_paid", label=_("Somebody paid toward a bill for you"), topic=Topic.PAYMENTS,
            events=("payment.succeeded",), told=audience.owners_of_guest_payment, may_state_amount=True,
            true_in=NEVER_RETURNED,
        ),
        Kind(
            name="payment_failed", label=_("Your payment did not go through"), topic=Topic.PAYMENTS,
            events=("payment.failed",), told=audience.payer, is_required=True, true_in=frozenset({"failed"}),
        ),
        Kind(
            name="payment_on_its_way", label=_("Your payment is on its way"), topic=Topic.PAYMENTS,
            events=("payment.processing",), told=audience.payer, true_in=frozenset({"processing"}),
        ),
        # Payments that a bank took back
        Kind(
            name="payment_returned", label=_("A payment was returned by your bank"), topic=Topic.PAYMENTS,
            events=("payment.bank_returned",), told=audience.payer_each_time, is_required=True,
            true_in=frozenset({"returned"}),
        ),
        Kind(
            name="payment_disputed", label=_("A payment is disputed with your bank"), topic=Topic.PAYMENTS,
            events=("payment.dispute_taken",), told=audience.payer_each_time, is_required=True,
            true_in=frozenset({"disputed"}),
        ),
        Kind(
            name="dispute_closed", label=_("Your bank has decided about a payment"), topic=Topic.PAYMENTS,
            events=("dispute.closed",), told=audience.payer_each_time, is_required=True,
        ),
        Kind(
            name="guest_payment_returned", label=_("A payment that somebody made for you was taken back"),
            topic=Topic.PAYMENTS, events=("payment.bank_returned", "payment.dispute_taken"),
            told=audience.owners_of_guest_payment, is_required=True, true_in=frozenset({"returned", "disputed"}),
        ),
        Kind(
            name="payment_retry", label=_("A returned payment is sent again"), topic=Topic.PAYMENTS,
            events=("payment.retry_planned",), told=audience.payer, is_required=True, true_in=frozenset({"draft"}),
        ),
        # Payments that wait for their day
        Kind(
            name="scheduled_ahead", label=_("A scheduled payment is sent tomorrow"), topic=Topic.PAYMENTS,
            events=("payment.scheduled_ahead",), told=audience.payer_of_day, is_required=True,
            true_in=frozenset({"draft"}),
        ),
        Kind(
            name="scheduled_not_sent", label=_("A scheduled payment was not sent"), topic=Topic.PAYMENTS,
            events=("payment.not_sent",), told=audience.payer, is_required=True, true_in=frozenset({"canceled"}),
        ),
        Kind(
            name="scheduled_less", label=_("A scheduled payment was lowered"), topic=Topic.PAYMENTS,
            events=("payment.scheduled_less",), told=audience.payer, is_required=True,
        ),
        # Refunds
        Kind(
            name="refund_pending", label=_("A refund was started"), topic=Topic.PAYMENTS, events=("refund.pending",),
            told=audience.payer_of_refund, is_required=True,
        ),
        Kind(
            name="refund_sent", label=_("A refund is on its way to you"), topic=Topic.PAYMENTS,
            events=("refund.succeeded",), told=audience.payer_of_refund, is_required=True,
        ),
        Kind(
            name="refund_failed", label=_("A refund could not be sent"), topic=Topic.PAYMENTS,
            events=("refund.failed", "refund.canceled"), told=audience.payer_of_refund, is_required=True,
        ),
        # Payment methods
        Kind(
            name="method_kept", label=_("A card was saved"), topic=Topic.METHODS, events=("method.kept",),
            told=audience.method_owner, is_required=True, is_security=True,
        ),
        Kind(
            name="method_removed", label=_("A saved card was removed"), topic=Topic.METHODS,
            events=("method.removed",), told=audience.method_owner, is_required=True, is_security=True,
        ),
        Kind(
            name="method_pending", label=_("Verify your bank account"), topic=Topic.METHODS,
            events=("method.pending",), told=audience.method_owner, is_required=True,
        ),
        Kind(
            name="method_verified", label=_("Your bank account is verified"), topic=Topic.METHODS,
            events=("method.verified",), told=audience.method_owner, is_required=True, is_security=True,
        ),
        Kind(
            name="method_unverified", label=_("Your bank account could not be verified"), topic=Topic.METHODS,
            events=("method.verification_failed",), told=audience.method_owner, is_required=True,
        ),
        Kind(
            name="method_blocked", label=_("A payment method cannot be used any more"), topic=Topic.METHODS,
            events=("method.blocked",), told=audience.method_owner, is_required=True,
        ),
        Kind(
            name="method_expiring", label=_("A card expires soon"), topic=Topic.METHODS,
            events=("method.expiring",), told=audience.method_owner_each_time,
        ),
        Kind(
            name="method_shared", label=_("You shared a payment method"), topic=Topic.METHODS,
            events=("method.shared",), told=audience.method_owner_each_time, is_required=True, is_security=True,
        ),
        Kind(
            name="share_begun", label=_("A payment method was shared with you"), topic=Topic.METHODS,
            events=("method.shared",), told=audience.shared_with,
        ),
        Kind(
            name="mandate_copy", label=_("A copy of your bank authorization"), topic=Topic.METHODS,
            events=("mandate.accepted",), told=audience.mandate_giver, is_required=True, is_security=True,
        ),
        Kind(
            name="method_renewed", label=_("A saved card was renewed"), topic=Topic.METHODS,
            events=("method.renewed",), told=audience.method_owner_each_time,
        ),
        # Security and settings
        Kind(
            name="paperless_changed", label=_("How you get your documents was changed"), topic=Topic.SECURITY,
            events=("household.paperless",), told=audience.household_holder, is_required=True,
        ),
        Kind(
            name="delivery_changed", label=_("How we reach you was changed"), topic=Topic.SECURITY,
            events=("delivery.changed",), told=audience.actor, is_required=True, is_security=True,
        ),
        Kind(
            name="second_claim", label=_("Somebody tried to connect your membership"), topic=Topic.SECURITY,
            events=("enrolment.second_claim",), told=audience.holder_of_claimed_member, is_required=True,
            is_security=True,
        ),
        # Summaries: made by digest.py
        Kind(
            name="weekly_digest", label=_("Your family's week"), topic=Topic.SUMMARIES, is_on_at_first=False,
            may_state_amount=True,
        ),
    )
}  # fmt: skip


def by_event() -> dict[str, tuple[Kind, ...]]:
    """Which kinds each event makes."""
    events = sorted({event for kind in KINDS.values() for event in kind.events})
    return {event: tuple(kind for kind in KINDS.values() if event in kind.events) for event in events}


REMINDERS = tuple(kind for kind in KINDS.values() if kind.days is not None)
