"""Staff pages about money that goes back: refunds with their second person, disputes and returns with what to do."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Member, User
from accounts.staff import OWN_WORDS, Action, AmountForm, MemberRecordAdmin, Refused, money, usd
from activity.staff import link
from payments import approvals, fees, refunds, return_codes, staff_wording
from payments.models import Dispute, Payment, Refund
from payments.provider import GatewayError


class RefundForm(AmountForm):
    """How much of a payment goes back, why, and of which of its bills where it is not all the same."""

    bill = forms.CharField(
        max_length=14,
        required=False,
        label="Only of the bill",
        help_text="Its number, where the payment is of several bills. Left empty, the first is owed again first.",
    )
    field_order = ("amount", "bill", "reason", "key")  # type: ignore[assignment]  # one field more than its parent's


def _refund(user: User, payment: Payment, cleaned: dict[str, Any]) -> str:
    number = cleaned["bill"].strip().upper()
    allocation = payment.allocations.filter(bill__number=number).select_related("bill").first() if number else None
    if number and allocation is None:
        raise Refused(f"Payment {payment.number} paid nothing on a bill {number}.")
    refund = refunds.issue(
        payment,
        amount_cents=cleaned["amount"],
        reason=cleaned["reason"],
        requested_by=user,
        bill=allocation.bill if allocation else None,
        key=cleaned["key"],
    )
    if refund.status == Refund.Status.AWAITING_APPROVAL:
        return "The refund waits for a second person to approve it. Its money is reserved, and nothing is sent yet."
    return f"The refund is {refund.get_status_display().lower()}."


def _decide(decision: Callable[..., Refund]) -> Callable[[User, Refund, dict[str, Any]], str]:
    def run(user: User, refund: Refund, cleaned: dict[str, Any]) -> str:
        decided = decision(refund, by=user, reason=cleaned["reason"])
        return f"The refund is {decided.get_status_display().lower()}."

    return run


def _waive(user: User, payment: Payment, cleaned: dict[str, Any]) -> str:
    fees.waive(payment, on=timezone.localdate(), actor=f"user:{user.pk}", reason=cleaned["reason"])
    return "The fee for the returned payment is taken off."


def _waits(refund: Refund) -> bool:
    return refund.status == Refund.Status.AWAITING_APPROVAL


REFUND = Action(
    suffix="refund", label="Refund", permission="payments.add_refund", form=RefundForm, run=_refund,
    applies=lambda payment: refunds.refundable_cents(payment) > 0,
    refusals={
        refunds.RefundError: OWN_WORDS,
        GatewayError: "The provider does not answer now. The refund is kept and will be sent again.",
    },
    explains="Sends money back to the card or account that it came from. The bill is owed again by that much.",
)  # fmt: skip
WAIVE_FEE = Action(
    suffix="waive-fee", label="Take the return fee off", permission="bills.change_bill", run=_waive,
    applies=fees.stands, explains="Takes the fee for this returned payment off its bill.",
)  # fmt: skip
APPROVE = Action(
    suffix="approve", label="Approve", permission="payments.change_refund", run=_decide(approvals.approve),
    applies=_waits, refusals={refunds.RefundError: OWN_WORDS},
    explains="Sends the refund now. You cannot approve one that you asked for yourself.",
)  # fmt: skip
DECLINE = Action(
    suffix="decline", label="Turn down", permission="payments.change_refund", run=_decide(approvals.decline),
    applies=_waits, refusals={refunds.RefundError: OWN_WORDS},
    explains="Sends nothing, and sets the reserved money free. The payer is not told.",
)  # fmt: skip


def summary_of(payment: Payment) -> list[tuple[str, object]]:
    """What a refund of a payment is about, bill by bill where there are several."""
    rows: list[tuple[str, object]] = [
        ("Payment", payment.number),
        ("Household", payment.household),
        ("Paid", usd(payment.amount_cents)),
        ("Can still be refunded", usd(refunds.refundable_cents(payment))),
    ]
    bills = [each.bill for each in payment.allocations.select_related("bill").order_by("pk")]
    if len(bills) > 1:
        rows += [(f"Of bill {bill.number}", usd(refunds.refundable_of(payment, bill))) for bill in bills]
    return rows


class PaymentRecordAdmin(MemberRecordAdmin):
    """A record of a payment: of everybody whose bills it paid."""

    member_path = "payment__allocations__bill__member"

    def payment_of(self, obj: Any) -> Payment:
        """The payment."""
        payment: Payment = obj.payment
        return payment

    def household_id_of(self, obj: Any) -> int:
        """The payment's."""
        return self.payment_of(obj).household_id

    def members_of(self, obj: Any) -> Sequence[Member]:
        """Everybody whose bills it paid."""
        return list(Member.objects.filter(bills__allocations__payment=self.payment_of(obj)).distinct().order_by("pk"))

    def subject_of(self, obj: Any) -> str:
        """The payment."""
        return f"payment:{self.payment_of(obj).number}"


class OfPaymentAdmin(PaymentRecordAdmin):
    """A refund or a dispute: what is seen of its payment."""

    amount = money("amount_cents", "Amount")

    @admin.display(description="payment")
    def payment_link(self, obj: Any) -> SafeString | str:
        """The payment."""
        return link(obj.payment)


@admin.register(Refund)
class RefundAdmin(OfPaymentAdmin):
    """Money sent back."""

    list_display = (
        "id", "payment_link", "amount", "status", "reason", "requested_by", "is_outside_portal", "created_at",
    )  # fmt: skip
    list_filter = ("status", "is_outside_portal")
    list_select_related = ("payment", "requested_by")
    search_help_text = "Stripe's id of the refund, whole"
    exact_search = ("stripe_refund_id",)
    linked_by = ("payment__id__exact",)
    fields = (
        "payment_link", "bill", "amount", "status", "reason", "requested_by", "decided_by", "decided_at",
        "decision_reason", "is_outside_portal", "stripe_refund_id", "why_failed", "created_at", "settled_at",
    )  # fmt: skip
    readonly_fields = ("payment_link", "amount", "why_failed")
    offered = (APPROVE, DECLINE)

    @admin.display(description="why it failed")
    def why_failed(self, obj: Refund) -> str:
        """The provider's reason in words, and what to do."""
        return staff_wording.refund_failure(obj.failure_code) if obj.failure_code else "-"

    def summary(self, obj: Refund) -> list[tuple[str, object]]:
        """What is decided on."""
        return [
            ("Refund", usd(obj.amount_cents)),
            ("Asked for by", obj.requested_by.email if obj.requested_by else "-"),
            ("Because", obj.reason),
            *summary_of(obj.payment),
        ]


@admin.register(Dispute)
class DisputeAdmin(OfPaymentAdmin):
    """Payments called into question, and debits that their banks returned."""

    list_display = (
        "stripe_dispute_id", "payment_link", "kind", "amount", "status", "reason", "return_code", "due_by", "opened_at",
    )  # fmt: skip
    list_filter = ("kind", "status")
    list_select_related = ("payment",)
    search_help_text = "Stripe's id of the dispute, whole"
    exact_search = ("stripe_dispute_id",)
    linked_by = ("payment__id__exact",)
    fields = (
        "stripe_dispute_id", "payment_link", "kind", "amount", "booked", "status", "reason", "bank_says", "next_step",
        "due_by", "is_refundable", "opened_at", "booked_at", "closed_at",
    )  # fmt: skip
    readonly_fields = ("payment_link", "amount", "booked", "bank_says", "next_step")
    booked = money("booked_cents", "Taken, as booked")

    @admin.display(description="the bank says")
    def bank_says(self, obj: Dispute) -> str:
        """The return code in words."""
        if obj.kind != Dispute.Kind.RETURN:
            return "-"
        code = return_codes.of(obj.return_code, reason=obj.reason)
        return f"{obj.return_code or 'no code'}: {code.title}"

    @admin.display(description="next step")
    def next_step(self, obj: Dispute) -> str:
        """What to send and by when, or what follows."""
        return staff_wording.next_step(obj)
