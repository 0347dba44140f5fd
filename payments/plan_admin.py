"""Staff pages of payment plans: each plan with its instalments, bills and agreements, and the rules by state."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Member, User
from accounts.staff import OWN_WORDS, Action, ActionForm, AmountField, MemberRecordAdmin, money
from activity.staff import ReadOnlyInline, link, listed
from ledger.money import format_usd
from payments.models import Installment, PaymentPlan, PlanAgreement, PlanBill, PlanPolicy
from payments.plans import charging, policies, standing


class InstallmentInline(ReadOnlyInline):
    """The instalments, as they stand and as they were."""

    model = Installment
    fields = ("position", "due_on", "amount", "created_at", "superseded_at")
    readonly_fields = ("amount", "created_at")
    amount = money("amount_cents", "Amount")


class PlanBillInline(ReadOnlyInline):
    """The bills."""

    model = PlanBill
    verbose_name_plural = "Bills"
    fields = ("bill_link", "amount", "added_at", "removed_at")
    readonly_fields = ("bill_link", "amount", "added_at")
    amount = money("amount_cents", "Owed when it joined")

    @admin.display(description="bill")
    def bill_link(self, obj: PlanBill) -> SafeString | str:
        """The bill."""
        return link(obj.bill)


class AgreementInline(ReadOnlyInline):
    """What was agreed to."""

    model = PlanAgreement
    fields = ("accepted_at", "signature", "version", "policy_version", "language", "address", "text")
    readonly_fields = fields


@admin.register(PaymentPlan)
class PaymentPlanAdmin(MemberRecordAdmin):
    """Payment plans: what the member sees, and the dates behind it."""

    member_path = "plan_bills__bill__member"

    list_display = ("number", "household_link", "status", "paused_from", "missed_since", "noticed_on", "created_at")
    list_filter = ("status", "pause_reason")
    list_select_related = ("household",)
    search_help_text = "A plan's number, whole"
    exact_search = ("number",)
    linked_by = ("household__id__exact", "plan_bills__bill__id__exact")
    inlines = (InstallmentInline, PlanBillInline, AgreementInline)
    fields = (
        "number", "household_link", "owner_email", "status", "where_it_stands", "paid", "left", "day_of_month",
        "policy_link", "paused_from", "paused_until", "pause_reason", "hardship_used_at", "missed_since", "noticed_on",
        "cured_on", "reopened_on", "defaulted_at", "ended_at", "ended_code", "created_at",
    )  # fmt: skip
    readonly_fields = ("household_link", "owner_email", "where_it_stands", "paid", "left", "policy_link", "created_at")

    def members_of(self, obj: PaymentPlan) -> Sequence[Member]:
        """Whose bills are on it."""
        return list(Member.objects.filter(bills__plan_bills__plan=obj).distinct())

    def related(self, request: HttpRequest, obj: PaymentPlan) -> list[tuple[str, str]]:
        """What belongs to it."""
        return [("What happened", listed("activity_event", subject=f"plan:{obj.number}"))]

    @admin.display(description="household")
    def household_link(self, obj: PaymentPlan) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="rule")
    def policy_link(self, obj: PaymentPlan) -> SafeString | str:
        """The rule that it was agreed under."""
        return link(obj.policy)

    @admin.display(description="owner")
    def owner_email(self, obj: PaymentPlan) -> str:
        """Who signed."""
        return obj.owner.email

    @admin.display(description="where it stands")
    def where_it_stands(self, obj: PaymentPlan) -> str:
        """The state, as the member sees it."""
        where = standing.of(obj)
        return str(charging.state_of(where, charging.of(where)).label)

    @admin.display(description="paid")
    def paid(self, obj: PaymentPlan) -> str:
        """What was paid of it."""
        return format_usd(standing.of(obj).paid_cents)

    @admin.display(description="left")
    def left(self, obj: PaymentPlan) -> str:
        """What is left to pay."""
        return format_usd(standing.of(obj).left_cents)


class PolicyForm(ActionForm):
    """The next version of a rule. What the law fixes is kept as it is."""

    effective_on = forms.DateField(label="Begins on", widget=forms.DateInput(attrs={"type": "date"}))
    min_bill = AmountField(label="Least sum of a plan, in dollars")
    min_installment = AmountField(label="Least instalment, in dollars")
    max_installments = forms.IntegerField(label="Most instalments", min_value=2, max_value=120)
    notice_after_days = forms.IntegerField(label="Notice of default after days missed", min_value=10, max_value=365)
    notice_days = forms.IntegerField(label="Days from the notice to the end", min_value=10, max_value=365)
    default_after_days = forms.IntegerField(label="Earliest end after days missed", min_value=30, max_value=730)
    pause_months = forms.IntegerField(label="Longest pause in months", min_value=0, max_value=12)
    required_text = forms.CharField(label="Text that the law asks for", required=False, widget=forms.Textarea)
    source = forms.CharField(label="Source", max_length=300)


def _replace(user: User, policy: PlanPolicy, given: dict[str, Any]) -> str:
    made = policies.replace(
        policy, by=user, reason=given["reason"], effective_on=given["effective_on"],
        min_bill_cents=given["min_bill"], min_installment_cents=given["min_installment"],
        required_text=given["required_text"].strip(), source=given["source"],
        **{name: given[name] for name in (
            "max_installments", "notice_after_days", "notice_days", "default_after_days", "pause_months",
        )},
    )  # fmt: skip
    return f"Rule {made.version} holds from {made.effective_on}."


def _is_newest(policy: PlanPolicy) -> bool:
    return not PlanPolicy.objects.filter(state=policy.state, effective_on__gt=policy.effective_on).exists()


@admin.register(PlanPolicy)
class PlanPolicyAdmin(MemberRecordAdmin):
    """The rules of payment plans. One is replaced by its next version; plans agreed before keep theirs."""

    list_display = ("version", "state", "effective_on", "max_installments", "default_after_days", "needs_text")
    list_filter = ("state",)
    exact_search = ("version",)
    search_help_text = "A version, whole"
    fields = (
        "version", "state", "effective_on", "min_bill", "min_installment", "max_installments", "notice_after_days",
        "notice_days", "default_after_days", "pause_months", "income_cap_basis_points", "income_basis", "needs_text",
        "required_text", "source", "created_at",
    )  # fmt: skip
    readonly_fields = ("min_bill", "min_installment", "created_at")
    min_bill = money("min_bill_cents", "Least sum of a plan")
    min_installment = money("min_installment_cents", "Least instalment")
    offered = (
        Action(
            suffix="replace",
            label="Replace this rule",
            explains="The new version holds from its day on, for plans that are agreed to from then.",
            permission="payments.add_planpolicy",
            run=_replace,
            refusals={policies.PolicyRefused: OWN_WORDS},
            applies=_is_newest,
            form=PolicyForm,
        ),
    )

    def members_of(self, obj: PlanPolicy) -> Sequence[Member]:
        """Nobody's."""
        return ()

    def household_id_of(self, obj: PlanPolicy) -> int:
        """Nobody's."""
        return 0

    def summary(self, obj: PlanPolicy) -> list[tuple[str, object]]:
        """What holds now."""
        today = timezone.localdate()
        return [
            ("State", obj.state or "everywhere else"), ("Today", today), ("Least sum", format_usd(obj.min_bill_cents)),
            ("Least instalment", format_usd(obj.min_installment_cents)), ("Most instalments", obj.max_installments),
            ("Notice, days", f"{obj.notice_after_days} + {obj.notice_days}, end from {obj.default_after_days}"),
            ("Text of the law", obj.required_text or "none"), ("Source", obj.source),
        ]  # fmt: skip
