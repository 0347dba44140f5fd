"""Staff pages: payments and what became of them, refunds, disputes, saved methods, and the provider's events."""

import json
from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import Household, Member, User
from accounts.staff import money, usd
from activity.staff import ReadOnlyAdmin, ReadOnlyInline, link, listed
from payments import (
    autopay_admin,
    autopay_import_admin,
    autopay_watch_admin,
    figures_admin,
    late_admin,
    legs,
    lockbox_admin,
    plan_admin,
    reconciliation_admin,
    taken_back_admin,
)
from payments.models import Payment, PaymentAllocation, PaymentMethod, Refund, StripeEvent

# Their pages are registered with these.
__all__ = [
    "autopay_admin",
    "autopay_import_admin",
    "autopay_watch_admin",
    "figures_admin",
    "late_admin",
    "lockbox_admin",
    "plan_admin",
    "reconciliation_admin",
]


class AllocationInline(ReadOnlyInline):
    """What a payment was for."""

    model = PaymentAllocation
    verbose_name_plural = "Bills"
    fields = ("bill_link", "amount")
    readonly_fields = ("bill_link", "amount")
    amount = money("amount_cents", "Amount")

    @admin.display(description="bill")
    def bill_link(self, obj: PaymentAllocation) -> SafeString | str:
        """The bill."""
        return link(obj.bill)


class RefundInline(ReadOnlyInline):
    """What was sent back."""

    model = Refund
    fields = ("refund_link", "amount", "status", "reason", "requested_by_email", "created_at")
    readonly_fields = ("refund_link", "amount", "requested_by_email", "created_at")
    amount = money("amount_cents", "Amount")

    @admin.display(description="refund")
    def refund_link(self, obj: Refund) -> SafeString | str:
        """The refund."""
        return link(obj)

    @admin.display(description="by")
    def requested_by_email(self, obj: Refund) -> str:
        """Who asked for it."""
        return obj.requested_by.email if obj.requested_by else "outside the portal"


@admin.register(Payment)
class PaymentAdmin(taken_back_admin.PaymentRecordAdmin):
    """Payments."""

    member_path = "allocations__bill__member"

    list_display = ("number", "household_link", "kind", "channel", "amount", "status", "paid_with", "created_at")
    list_filter = ("status", "channel", "kind")
    list_select_related = ("household",)
    search_help_text = "A payment's or household's number, or Stripe's id of the payment intent, whole"
    exact_search = ("number", "stripe_payment_intent_id")
    linked_by = ("household__id__exact", "allocations__bill__id__exact")
    inlines = (AllocationInline, RefundInline)
    fields = (
        "number", "household_link", "payer_email", "kind", "channel", "status", "amount", "paid_with", "attempt",
        "stripe_payment_intent_id", "stripe_charge_id", "failure_code", "created_at", "submitted_at", "asked_at",
        "settled_at", "expected_on", "effective_on", "scheduled_on", "method_label", "attestation", "other_parts",
    )  # fmt: skip
    readonly_fields = ("household_link", "payer_email", "amount", "paid_with", "other_parts")
    amount = money("amount_cents", "Amount")
    offered = (
        taken_back_admin.REFUND,
        taken_back_admin.WAIVE_FEE,
    )

    @admin.display(description="other parts of the checkout")
    def other_parts(self, obj: Payment) -> SafeString | str:
        """The payments that share its checkout: each is refunded by itself."""
        others = [leg for leg in legs.of(obj) if leg.pk != obj.pk]
        parts = ((link(leg), usd(leg.amount_cents), leg.get_status_display()) for leg in others)
        return format_html_join(", ", "{} {} {}", parts) if others else "-"

    def searched(self, term: str) -> Q:
        """By number, household or Stripe's id."""
        household_ids = list(Household.objects.filter(number=term).values_list("pk", flat=True))
        return super().searched(term) | Q(household_id__in=household_ids)

    def payment_of(self, obj: Payment) -> Payment:
        """Itself."""
        return obj

    @admin.display(description="household")
    def household_link(self, obj: Payment) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="payer")
    def payer_email(self, obj: Payment) -> str:
        """Who paid."""
        return obj.payer.email if obj.payer else "a guest"

    @admin.display(description="paid with")
    def paid_with(self, obj: Payment) -> str:
        """What names the card or account."""
        return " ".join(part for part in (obj.method_wallet, obj.method_brand, obj.method_last4) if part) or "-"

    def related(self, request: HttpRequest, obj: Payment) -> list[tuple[str, str]]:
        """What belongs to it."""
        return [
            ("Refunds", listed("payments_refund", payment__id__exact=obj.pk)),
            ("Disputes and returns", listed("payments_dispute", payment__id__exact=obj.pk)),
            ("What happened", listed("activity_event", subject=f"payment:{obj.number}")),
        ]

    def summary(self, obj: Payment) -> list[tuple[str, object]]:
        """What a refund is about."""
        return taken_back_admin.summary_of(obj)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    """Saved cards and bank accounts: what names them, and the consent they are kept with."""

    list_display = ("id", "user_email", "kind", "brand", "last4", "is_default", "created_at", "removed_at")
    list_select_related = ("user",)
    search_help_text = "An email address, whole"
    exact_search = ("user_id",)
    fields = (
        "user_email", "kind", "label", "brand", "last4", "wallet", "bank_name", "expires_month", "expires_year",
        "is_default", "consent_version", "consented_at", "created_at", "removed_at",
    )  # fmt: skip
    readonly_fields = ("user_email",)

    def searched(self, term: str) -> Q:
        """By its owner's address."""
        return Q(user_id__in=list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)))

    def members_of(self, obj: PaymentMethod) -> Sequence[Member]:
        """Its owner."""
        return list(obj.user.members.all()[:1])

    @admin.display(description="owner")
    def user_email(self, obj: PaymentMethod) -> str:
        """Whose it is."""
        return obj.user.email


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    """The inbox of webhooks."""

    list_display = ("event_id", "type", "object_id", "outcome", "reason", "tries", "received_at", "processed_at")
    list_filter = ("outcome",)
    search_help_text = "Stripe's id of the event, whole"
    exact_search = ("event_id",)
    fields = (
        "event_id", "type", "object_id", "api_version", "outcome", "reason", "tries", "received_at", "processed_at",
        "pretty_body",
    )  # fmt: skip
    readonly_fields = ("pretty_body",)

    @admin.display(description="body")
    def pretty_body(self, obj: StripeEvent) -> SafeString | str:
        """What Stripe sent."""
        return format_html('<pre class="portal-record">{}</pre>', json.dumps(obj.body, indent=2))
