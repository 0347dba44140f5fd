"""Staff pages of what is late: the rules of grace, grace periods, the terms of charges, charges, and statements."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Member, User
from accounts.staff import Action, ActionForm, MemberRecordAdmin, Refused, money
from activity.staff import ReadOnlyAdmin, link
from bills.models import ChargeRule, FinanceCharge, GracePeriod, GraceRule, Statement
from payments import finance_charges


@admin.register(GraceRule)
class GraceRuleAdmin(ReadOnlyAdmin):
    """The rules of grace, with the first day of each; they change by a migration."""

    list_display = ("product", "state", "effective_from", "counts_from", "months", "days", "cover_ends", "source")
    list_filter = ("product", "state")


@admin.register(GracePeriod)
class GracePeriodAdmin(MemberRecordAdmin):
    """Grace periods: when each was told of, and how it ended."""

    member_path = "coverage__subscriber"
    list_display = ("id", "household_link", "period", "status", "noticed_on", "ends_on", "cover_ends_on", "due")
    list_filter = ("status",)
    list_select_related = ("coverage__household", "coverage__subscriber")
    fields = (
        "coverage", "household_link", "period", "rule", "status", "times", "began_on", "noticed_on", "ends_on",
        "cover_ends_on", "claims_wait_from", "warned_on", "closed_on", "due",
    )  # fmt: skip
    readonly_fields = ("household_link", "due")
    due = money("due_cents", "To be paid when told")

    @admin.display(description="household")
    def household_link(self, obj: GracePeriod) -> SafeString | str:
        """Whose coverage it is."""
        return link(obj.coverage.household)

    def household_id_of(self, obj: GracePeriod) -> int:
        """The coverage's."""
        return obj.coverage.household_id

    def members_of(self, obj: GracePeriod) -> Sequence[Member]:
        """The subscriber."""
        return [obj.coverage.subscriber]


class TermsForm(ActionForm):
    """New terms of a state: interest a year, a late fee, and from when on."""

    rate = forms.DecimalField(label="Interest a year, percent", min_value=0, max_value=10, decimal_places=2)
    fee = forms.DecimalField(label="Late fee in dollars", min_value=0, max_value=100, decimal_places=2)
    since = forms.DateField(label="From the first day of month", help_text="Not before today, as YYYY-MM-DD.")
    field_order = ("rate", "fee", "since", "reason", "key")


def _set_terms(_user: User, rule: ChargeRule, cleaned: dict[str, Any]) -> str:
    if cleaned["since"] < timezone.localdate():
        raise Refused("Terms hold from a day that is still to come: nobody is charged for what had not been said.")
    terms = {"rate_bp": int(cleaned["rate"] * 100), "late_fee_cents": int(cleaned["fee"] * 100)}
    if terms["rate_bp"] > rule.cap_rate_bp or terms["late_fee_cents"] > rule.cap_late_fee_cents:
        raise Refused("That is more than the law of the state allows.")
    with transaction.atomic():
        ChargeRule.objects.create(
            state=rule.state, effective_from=cleaned["since"], cap_rate_bp=rule.cap_rate_bp,
            cap_late_fee_cents=rule.cap_late_fee_cents, after_days=rule.after_days, source=rule.source, **terms,
        )  # fmt: skip
    return "The terms are set."


@admin.register(ChargeRule)
class ChargeRuleAdmin(MemberRecordAdmin):
    """The terms of interest and late fees by state, and the caps of the laws. A row is never edited."""

    list_display = ("state", "effective_from", "rate_bp", "late_fee", "cap_rate_bp", "cap_fee", "after_days", "source")
    list_filter = ("state",)
    fields = ("state", "effective_from", "rate_bp", "late_fee", "cap_rate_bp", "cap_fee", "after_days", "source")
    readonly_fields = ("late_fee", "cap_fee")
    late_fee = money("late_fee_cents", "Late fee")
    cap_fee = money("cap_late_fee_cents", "Most late fee")
    offered = (
        Action(
            suffix="terms", label="Set new terms", permission="bills.add_chargerule", form=TermsForm, run=_set_terms,
            refusals={IntegrityError: "There are terms from that day already, or the law does not allow these."},
            explains="Sets what is charged in this state from a day on, within the cap of its law.",
        ),
    )  # fmt: skip

    def household_id_of(self, obj: ChargeRule) -> int:
        """Nobody's."""
        return 0

    def members_of(self, obj: ChargeRule) -> Sequence[Member]:
        """Nobody's."""
        return []


def _waive(user: User, charge: FinanceCharge, cleaned: dict[str, Any]) -> str:
    if not finance_charges.waive(
        charge, on=timezone.localdate(), actor=f"user:{user.pk}", reason=cleaned["reason"], by=user
    ):
        raise Refused("The charge is waived already.")
    return "The charge is taken off. What was paid of it is household credit now."


@admin.register(FinanceCharge)
class FinanceChargeAdmin(MemberRecordAdmin):
    """Interest and late fees that were charged, and taking them off again."""

    member_path = "bill__member"
    list_display = ("id", "bill_link", "kind", "month", "base", "amount", "charged_on", "waived_at")
    list_filter = ("kind",)
    list_select_related = ("bill__member", "bill__household")
    linked_by = ("bill__id__exact",)
    fields = (
        "bill_link", "kind", "month", "rule", "rate_bp", "base", "amount", "charged_on", "waived_at", "waived_by",
        "waived_reason",
    )  # fmt: skip
    readonly_fields = ("bill_link", "base", "amount")
    base = money("base_cents", "Past due")
    amount = money("amount_cents", "Charged")
    offered = (
        Action(
            suffix="waive-charge", label="Take off", permission="bills.change_bill", run=_waive,
            applies=lambda charge: charge.waived_at is None,
            explains="Takes the whole charge off the bill. What was paid of it becomes household credit.",
        ),
    )  # fmt: skip

    @admin.display(description="bill")
    def bill_link(self, obj: FinanceCharge) -> SafeString | str:
        """The bill that it is on."""
        return link(obj.bill)

    def members_of(self, obj: FinanceCharge) -> Sequence[Member]:
        """The bill's member."""
        return [obj.bill.member]


@admin.register(Statement)
class StatementAdmin(MemberRecordAdmin):
    """Statements as they were issued: numbers and sums; on paper unless the household chose otherwise."""

    member_path = "member"
    list_display = ("number", "household_link", "month", "issued_on", "balance", "due", "is_opened", "on_paper")
    list_filter = ("month", "household__is_paperless")
    list_select_related = ("household", "member")
    exact_search = ("number",)
    linked_by = ("household__id__exact",)
    fields = (
        "number", "household_link", "month", "issued_on", "due_on", "previous", "charges", "payments", "adjustments",
        "corrections", "balance", "due", "is_opened", "on_paper",
    )  # fmt: skip
    readonly_fields = (
        "household_link", "previous", "charges", "payments", "adjustments", "corrections", "balance", "due",
        "is_opened", "on_paper",
    )  # fmt: skip
    previous = money("previous_cents", "Previous balance")
    charges = money("charges_cents", "New charges")
    payments = money("payments_cents", "Payments")
    adjustments = money("adjustments_cents", "Adjustments")
    corrections = money("corrections_cents", "Entered later")
    balance = money("balance_cents", "Balance")
    due = money("due_cents", "Due")

    def get_queryset(self, request: HttpRequest) -> Any:
        """The content stays where it is: lists and pages tell sums alone."""
        return super().get_queryset(request).defer("content").prefetch_related("openings")

    @admin.display(description="household")
    def household_link(self, obj: Statement) -> SafeString | str:
        """Whose it is."""
        return link(obj.household)

    @admin.display(description="opened", boolean=True)
    def is_opened(self, obj: Statement) -> bool:
        """Whether somebody has opened it."""
        return bool(obj.openings.all())

    @admin.display(description="on paper", boolean=True)
    def on_paper(self, obj: Statement) -> bool:
        """Whether it is printed: `print_statements`."""
        return obj.member_id is None and not obj.household.is_paperless

    def members_of(self, obj: Statement) -> Sequence[Member]:
        """The confidential member whose own it is."""
        return [obj.member] if obj.member else []
