"""Staff pages of the reconciliation: the runs, what is open by age, and what is to be done with each finding."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Household, Member, User
from accounts.staff import (
    OWN_WORDS,
    Action,
    ActionForm,
    MemberRecordAdmin,
    Refusals,
    Refused,
    is_own_household,
    money,
    usd,
)
from activity import ages, filters, queue
from activity.staff import ReadOnlyAdmin, link, listed
from billing_portal.ids import with_id
from payments import assigning, findings
from payments.assigning import AssigningError
from payments.models import BalanceTransaction, Finding, ReconciliationRun

CHANGE = "payments.change_finding"


class WhereForm(ActionForm):
    """The bills that money is put to, or the household whose credit it becomes."""

    bills = forms.CharField(required=False, max_length=300, help_text="Numbers of bills, in the order to be paid.")
    household = forms.CharField(
        required=False, max_length=20, help_text="Without bills: the number of the household whose credit it becomes."
    )
    field_order = ("bills", "household", "reason", "key")


REFUSALS: Refusals = {AssigningError: OWN_WORDS, findings.FindingError: OWN_WORDS}


def _assign(user: User, finding: Finding, cleaned: dict[str, Any]) -> str:
    bills = assigning.named(cleaned["bills"]) if cleaned["bills"].strip() else []
    household = bills[0].household if bills else Household.objects.filter(number=cleaned["household"].strip()).first()
    if household is None:
        raise Refused("There is no such household.")
    if is_own_household(user, household.pk):
        raise Refused("This is your own household: somebody else has to do it.")
    payment = findings.assign(finding, by=user, reason=cleaned["reason"], bills=bills, household=household)
    return f"The money is payment {payment.number} now."


def _refund(user: User, finding: Finding, cleaned: dict[str, Any]) -> str:
    return findings.refund(finding, by=user, reason=cleaned["reason"])


def _settle(user: User, finding: Finding, cleaned: dict[str, Any]) -> str:
    findings.settle(finding, by=user, reason=cleaned["reason"])
    return "The finding is closed."


def _is_in_suspense(finding: Finding) -> bool:
    return finding.closed_at is None and finding.suspense_cents > 0


class OpenFilter(filters.StateFilter):
    """Open findings first."""

    unfiltered = "Open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open, closed, all."""
        return [("closed", "Closed"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by what was chosen."""
        if self.value() == "all" or request.GET.get("q"):  # who looks for one finds it in whatever state
            return queryset
        return queryset.filter(closed_at__isnull=self.value() != "closed")


@admin.register(Finding)
class FindingAdmin(MemberRecordAdmin):
    """What the two books do not say alike."""

    change_list_template = "admin/aged_list.html"
    list_display = ("subject", "kind", "here", "there", "opened_at", "refund_asked_at", "closed_at", "resolution")
    list_filter = (OpenFilter, "kind")
    search_help_text = "Stripe's id of the charge, refund or payout, or a payment's number, whole"
    exact_search = ("subject",)
    linked_by = ("run__id__exact",)
    fields = (
        "kind", "subject", "payment_link", "here", "there", "in_suspense", "detail", "next_step", "opened_at",
        "refund_asked_at", "closed_at", "closed_by_email", "resolution",
    )  # fmt: skip
    readonly_fields = ("payment_link", "here", "there", "in_suspense", "next_step", "closed_by_email")
    here = money("here_cents", "Here")
    there = money("there_cents", "At Stripe")
    offered = (
        Action(
            suffix="assign", label="Put to bills or a household", permission=CHANGE, form=WhereForm, run=_assign,
            applies=_is_in_suspense,
            refusals=REFUSALS,
            explains="The money becomes a payment: of the bills you name, and what they do not owe is credit.",
        ),
        Action(
            suffix="refund", label="Refund", permission="payments.add_refund", run=_refund, applies=_is_in_suspense,
            refusals=REFUSALS,
            explains="Sends all of it back to the card or account that it came from.",
        ),
        Action(
            suffix="close", label="Close", permission=CHANGE, run=_settle,
            applies=lambda finding: finding.closed_at is None and not finding.suspense_cents,
            refusals=REFUSALS,
            explains="Say what was found out and what was done. Nothing is changed in the book by this.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """By its subject, and where links lead by its number."""
        return super().searched(term) | with_id(term)

    def household_id_of(self, obj: Finding) -> int:
        """That of its payment, where it has one."""
        return obj.payment.household_id if obj.payment else 0

    def members_of(self, obj: Finding) -> Sequence[Member]:
        """Those whose bills its payment paid."""
        return list(Member.objects.filter(bills__allocations__payment=obj.payment).distinct()) if obj.payment else []

    def subject_of(self, obj: Finding) -> str:
        """The finding, by its number."""
        return f"finding:{obj.pk}"

    @admin.display(description="payment")
    def payment_link(self, obj: Finding) -> SafeString | str:
        """The payment."""
        return link(obj.payment)

    @admin.display(description="in suspense")
    def in_suspense(self, obj: Finding) -> SafeString | str:
        """What is left of it in suspense."""
        return usd(obj.suspense_cents)

    @admin.display(description="next step")
    def next_step(self, obj: Finding) -> str:
        """What to do about it."""
        return queue.next_step(findings.WORK[obj.kind]) if obj.kind in findings.WORK else obj.detail

    @admin.display(description="closed by")
    def closed_by_email(self, obj: Finding) -> str:
        """Who closed it; what closed by itself has nobody."""
        return obj.closed_by.email if obj.closed_by else "-"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what is open by age."""
        opened = Finding.objects.filter(closed_at__isnull=True).values_list("opened_at", flat=True)
        chart = ages.chart(opened, title="Open findings by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    def summary(self, obj: Finding) -> list[tuple[str, object]]:
        """What an action is about."""
        return [("Subject", obj.subject), ("In suspense", usd(obj.suspense_cents)), ("At Stripe", usd(obj.there_cents))]


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin):
    """Runs of the reconciliation."""

    change_list_template = "admin/aged_list.html"
    change_form_template = "admin/record.html"
    list_display = (
        "id", "started_at", "status", "lines", "matched", "agreed", "only_there", "only_here", "differing", "waiting",
        "fees", "paid_out",
    )  # fmt: skip
    list_filter = ("status",)
    fields = (
        "status", "since", "until", "reached_at", "started_at", "finished_at", "lines", "matched", "agreed", "adopted",
        "only_there", "there_alone", "only_here", "here_alone", "differing", "differ", "waiting", "fees", "paid_out",
        "message",
    )  # fmt: skip
    agreed = money("matched_cents", "Agreed")
    there_alone = money("only_there_cents", "Only at Stripe")
    here_alone = money("only_here_cents", "Only here")
    differ = money("differing_cents", "Differing")
    fees = money("fees_cents", "Fees")
    paid_out = money("payouts_cents", "Paid out")
    readonly_fields = ("agreed", "there_alone", "here_alone", "differ", "fees", "paid_out")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what is open by age."""
        opened = Finding.objects.filter(closed_at__isnull=True).values_list("opened_at", flat=True)
        chart = ages.chart(opened, title="Open findings by age", now=timezone.now())
        context = {"chart": chart, "beside": [("Open findings", listed("payments_finding"))]}
        return super().changelist_view(request, (extra_context or {}) | context)

    def page_context(self, request: HttpRequest, obj: ReconciliationRun) -> dict[str, Any]:
        """Its findings."""
        rows = [
            (link(each, each.subject), each.get_kind_display(), usd(each.here_cents), usd(each.there_cents),
             each.resolution or "open")
            for each in obj.findings.order_by("pk")[:50]
        ]  # fmt: skip
        table = {
            "title": "Findings", "heads": ("Subject", "What", "Here", "At Stripe", "Outcome"), "rows": rows,
            "empty": "Both books say the same.",
        }  # fmt: skip
        return super().page_context(request, obj) | {"tables": [table]}

    def related(self, request: HttpRequest, obj: ReconciliationRun) -> list[tuple[str, str]]:
        """All that it found."""
        return [("All its findings", listed("payments_finding", run__id__exact=obj.pk, state="all"))]


@admin.register(BalanceTransaction)
class BalanceTransactionAdmin(ReadOnlyAdmin):
    """The lines of Stripe's book."""

    list_display = ("stripe_id", "type", "source_id", "amount", "fee", "created_at", "payout_id", "outcome")
    list_filter = ("outcome",)
    search_help_text = "Stripe's id of the line, or of its charge, refund, dispute or payout, whole"
    exact_search = ("stripe_id", "source_id", "payout_id")
    fields = (
        "stripe_id", "type", "category", "source_id", "amount", "fee", "net", "created_at", "payout_id", "outcome",
        "finding_link", "stored_at",
    )  # fmt: skip
    amount = money("amount_cents", "Amount")
    fee = money("fee_cents", "Fee")
    net = money("net_cents", "Net")
    readonly_fields = ("amount", "fee", "net", "finding_link")

    @admin.display(description="finding")
    def finding_link(self, obj: BalanceTransaction) -> SafeString | str:
        """What was found about it."""
        return link(obj.finding)
