"""Staff pages: applications to decide, awards, and the rules in force."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Household, Member, Upload, User
from accounts.staff import OWN_WORDS, Action, ActionForm, MemberRecordAdmin, Refusals, is_own_household, usd
from accounts.uploads.models import UploadQuerySet
from accounts.uploads.staff_pages import FilesAdmin
from activity import ages
from activity.staff import ReadOnlyAdmin, link, listed
from assistance import applying, awarding, charity, deciding_admin, rules
from assistance.deciding_admin import DecisionFilter
from assistance.models import (
    Application,
    AssistancePolicy,
    Award,
    CharitableRule,
    ExcludedService,
    PovertyGuideline,
)
from assistance.states import PENDING, ApplicationStatus
from billing_portal.ids import with_id
from bills.models import Hold

DECIDES, REVOKES = "assistance.change_application", "assistance.change_award"
REFUSALS: Refusals = {
    applying.Conflict: "It has moved on meanwhile: look at it again.",
    applying.Refused: OWN_WORDS,
    rules.RuleMissing: "A rule is missing: {}.",
}


class ApproveForm(ActionForm):
    """A reason, and a percentage where staff answers for another than the rules give."""

    percent = forms.IntegerField(
        min_value=1, max_value=100, required=False, label="Percent off",
        help_text="Empty: what the rules in force give for the figures above.",
    )  # fmt: skip
    field_order = ("percent", "reason", "key")


class AskForm(ActionForm):
    """What is missing, one thing a line, as the applicant reads it."""

    missing = forms.CharField(
        widget=forms.Textarea({"rows": 4, "cols": 60}), max_length=3000, label="What is missing",
        help_text="One thing a line, in words that the applicant understands.",
    )  # fmt: skip
    field_order = ("missing", "reason", "key")


def _doing(do: Callable[[User, Any, dict[str, Any]], object], said: str) -> Callable[[User, Any, dict[str, Any]], str]:
    def run(user: User, obj: Any, cleaned: dict[str, Any]) -> str:
        do(user, obj, cleaned)
        return said

    return run


def _approve(user: User, application: Application, given: dict[str, Any]) -> None:
    applying.approve(application, by=user, reason=given["reason"], percent=given["percent"])


def _deny(user: User, application: Application, given: dict[str, Any]) -> None:
    applying.deny(application, by=user, reason=given["reason"])


def _ask(user: User, application: Application, given: dict[str, Any]) -> None:
    applying.ask_for(application, texts=given["missing"].splitlines(), by=user)


def _revoke(user: User, award: Award, given: dict[str, Any]) -> None:
    if award.kind == Award.Kind.CHARITABLE:
        charity.end(award, by=user, reason=given["reason"], on=timezone.localdate())
    else:
        awarding.revoke(award, by=user, reason=given["reason"])


class ApplicationRecordAdmin(MemberRecordAdmin):
    """What belongs to an application: confidential members' with a reason, never those of one's own household."""

    search_help_text = "The number of an application or a household, whole"

    def application_of(self, obj: Any) -> Application:
        """The application itself."""
        application: Application = obj
        return application

    def household_id_of(self, obj: Any) -> int:
        """The applicant's household."""
        return self.application_of(obj).household_id

    def members_of(self, obj: Any) -> Sequence[Member]:
        """For whom it asks, and who asks."""
        application = self.application_of(obj)
        applicant = Q(user=application.applicant, household_id=application.household_id)
        return list(Member.objects.filter(applicant | Q(applications=application)).distinct().order_by("pk"))

    def barrier(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """Incomes are private within a household too: staff open none of their own."""
        if isinstance(request.user, User) and is_own_household(request.user, self.household_id_of(obj)):
            raise PermissionDenied("an application of one's own household")
        return super().barrier(request, obj)


@admin.register(Application)
class ApplicationAdmin(FilesAdmin, ApplicationRecordAdmin):
    """Applications: what was written and proved, what the rules make of it, and the decision."""

    change_list_template = "admin/aged_list.html"
    list_display = ("number", "household_link", "status", "submitted_at", "due")
    list_filter = (DecisionFilter, "wants_charitable")
    list_select_related = ("household",)
    ordering = ("decide_by", "-pk")
    exact_search = ("number",)
    linked_by: Sequence[str] = ("household__id__exact",)
    fields = (
        "number", "household_link", "status", "state", "household_size", "wants_assistance", "wants_charitable",
        "expenses", "signature", "signed_at", "submitted_at", "complete_at", "decide_by", "decided_at", "reason",
        "appeal", "appealed_at",
    )  # fmt: skip
    readonly_fields = ("household_link", "expenses")
    offered = (
        Action(
            suffix="approve", label="Approve", permission=DECIDES, form=ApproveForm, run=_doing(_approve, "Approved."),
            refusals=REFUSALS,
            applies=lambda application: application.status in PENDING,
            explains="Makes the award, lowers its bills, and lets them go on.",
        ),
        Action(
            suffix="ask", label="Ask for what is missing", permission=DECIDES, form=AskForm,
            run=_doing(_ask, "The applicant was told what is missing."), refusals=REFUSALS,
            applies=lambda application: application.status == ApplicationStatus.SUBMITTED,
            explains="The clock stands still, and the bills wait, until the last of it has come.",
        ),
        Action(
            suffix="deny", label="Deny", permission=DECIDES, run=_doing(_deny, "Not approved."),
            refusals=REFUSALS,
            applies=lambda application: application.status in PENDING,
            explains="The applicant reads your reason word for word, and may appeal once.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """By its own number or the household's."""
        return super().searched(term) | Q(household_id__in=list(
            Household.objects.filter(number=term).values_list("pk", flat=True)
        ))  # fmt: skip

    def uploads_of(self, obj: Application) -> UploadQuerySet:
        """The proofs of incomes, and what was missing."""
        sources = obj.sources.filter(upload__isnull=False).values("upload_id")
        items = obj.missing_items.filter(upload__isnull=False).values("upload_id")
        return Upload.objects.filter(Q(pk__in=sources) | Q(pk__in=items))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what waits by age."""
        waiting = Application.objects.pending().values_list("submitted_at", flat=True)
        chart = ages.chart((at for at in waiting if at), title="Applications to decide, by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    def page_context(self, request: HttpRequest, obj: Application) -> dict[str, Any]:
        """Incomes with proofs, what is missing, what the rules say, what was decided and given."""
        tables = [self._incomes(obj), self._missing(obj), self._figures(obj), self._awards(obj)]
        return super().page_context(request, obj) | {"tables": tables}

    def _incomes(self, obj: Application) -> dict[str, Any]:
        rows = [
            (source.kind, usd(source.amount_cents), f"{source.times_a_year} times a year", usd(source.yearly_cents),
             self.link_to(obj, source.upload))
            for source in obj.sources.select_related("upload")
        ]  # fmt: skip
        return {"title": "Income", "heads": ("Kind", "Amount", "How often", "A year", "Proof"), "rows": rows,
                "empty": "No income was stated."}  # fmt: skip

    def _missing(self, obj: Application) -> dict[str, Any]:
        rows = [
            (item.text, f"{item.asked_at:%Y-%m-%d}", self.link_to(obj, item.upload))
            for item in obj.missing_items.select_related("upload")
        ]
        return {"title": "Asked for", "heads": ("What", "On", "Answer"), "rows": rows, "empty": "Nothing."}

    def _figures(self, obj: Application) -> dict[str, Any]:
        rows = [
            (f"decided {made.made_at:%Y-%m-%d}", made.guideline_year, made.region, usd(made.guideline_cents),
             usd(made.income_cents), made.basis, f"{made.award_pct} %")
            for made in obj.determinations.order_by("pk")
        ]  # fmt: skip
        try:
            now = applying.finding(obj)
        except rules.RuleMissing:
            now = None
        if now is not None and obj.status in PENDING:
            rows.append(
                ("today", now.guideline.year, now.guideline.region, usd(now.guideline_cents), usd(now.income_cents),
                 f"{now.basis}, {now.percent} % of the guideline", f"{now.award_pct} %")
            )  # fmt: skip
        heads = ("When", "Guideline of", "Region", "Guideline", "Income", "Basis", "Off")
        return {"title": "What the rules say", "heads": heads, "rows": rows, "empty": "Nothing yet."}

    def _awards(self, obj: Application) -> dict[str, Any]:
        rows = [
            (link(award), award.kind, award.start_on, award.end_on, f"{award.percent} %", usd(award.monthly_cents))
            for award in obj.awards.order_by("pk")
        ]
        return {"title": "Given", "heads": ("Award", "Kind", "From", "To", "Percent", "A month"), "rows": rows,
                "empty": "Nothing."}  # fmt: skip

    def related(self, request: HttpRequest, obj: Application) -> list[tuple[str, str]]:
        """What belongs to it."""
        return [
            ("Bills on hold", listed(f"bills_{Hold._meta.model_name}", q=obj.reference)),
            ("What happened", listed("activity_event", subject=f"application:{obj.number}")),
            ("Who looked", listed("activity_access", q=f"application:{obj.number}")),
        ]

    def summary(self, obj: Application) -> list[tuple[str, object]]:
        """What an action is about."""
        try:
            found = applying.finding(obj)
        except rules.RuleMissing:
            return [("Application", obj.number)]
        return [
            ("Application", obj.number),
            ("Income a year", usd(found.income_cents)),
            ("Guideline", f"{found.guideline} for {found.size}: {found.percent} %"),
            ("The rules give", f"{found.award_pct} % off"),
        ]

    @admin.display(description="decide by", ordering="decide_by")
    def due(self, obj: Application) -> SafeString | str:
        """By when; said loudly where that is past."""
        return deciding_admin.due(obj)

    @admin.display(description="household")
    def household_link(self, obj: Application) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="paid for care in 12 months")
    def expenses(self, obj: Application) -> SafeString | str:
        """What it stated."""
        return usd(obj.expense_cents)


@admin.register(Award)
class AwardAdmin(ApplicationRecordAdmin):
    """Awards, what each bill had of them, and ending one."""

    list_display = ("id", "application_link", "kind", "percent", "start_on", "end_on", "revoked_at")
    list_filter = ("kind",)
    list_select_related = ("application",)
    linked_by: Sequence[str] = ("application__id__exact",)
    fields = (
        "application_link", "kind", "percent", "month", "start_on", "end_on", "made_by", "created_at", "revoked_at",
        "revoked_by", "revoked_reason",
    )  # fmt: skip
    readonly_fields = ("application_link", "month")
    exact_search: Sequence[str] = ("application__number",)
    offered = (
        Action(
            suffix="revoke", label="End it", permission=REVOKES, run=_doing(_revoke, "It has ended."),
            refusals=REFUSALS,
            applies=lambda award: award.revoked_at is None,
            explains="What it gave stays given. New bills, or premiums from next month on, get nothing of it. The"
            " applicant reads your reason word for word.",
        ),
    )  # fmt: skip

    def application_of(self, obj: Award) -> Application:
        """What it came of."""
        return obj.application

    def searched(self, term: str) -> Q:
        """By the award's id, the application's or the household's number."""
        applications = Application.objects.filter(Q(number=term.upper()) | Q(household__number=term))
        return with_id(term) | Q(application_id__in=list(applications.values_list("pk", flat=True)))

    def page_context(self, request: HttpRequest, obj: Award) -> dict[str, Any]:
        """The bills that it was put to."""
        rows = [
            (
                link(row.bill),
                usd(row.eligible_cents),
                usd(row.amount_cents),
                usd(row.returned_cents),
                "not yet" if row.refunded_cents is None else usd(row.refunded_cents),
            )
            for row in obj.awarded_bills.select_related("bill").order_by("pk")[:500]
        ]
        table = {"title": "Bills", "heads": ("Bill", "Eligible", "Taken off", "Overpaid", "Sent back"), "rows": rows,
                 "empty": "No bill had anything of it."}  # fmt: skip
        return super().page_context(request, obj) | {"tables": [table]}

    def summary(self, obj: Award) -> list[tuple[str, object]]:
        """What an action is about."""
        return [("Award", obj), ("Kind", obj.kind), ("Until", obj.end_on)]

    @admin.display(description="application")
    def application_link(self, obj: Award) -> SafeString | str:
        """What it came of."""
        return link(obj.application)

    @admin.display(description="of a premium, a month")
    def month(self, obj: Award) -> SafeString | str:
        """The subsidy."""
        return usd(obj.monthly_cents)


class RuleAdmin(ReadOnlyAdmin):
    """Rows of rules, to read: new ones come by a migration, so that every installation has the same."""


@admin.register(PovertyGuideline)
class PovertyGuidelineAdmin(RuleAdmin):
    """Poverty guidelines."""

    list_display = ("year", "region", "version", "one", "more", "effective_from", "effective_to")

    @admin.display(description="one person")
    def one(self, obj: PovertyGuideline) -> SafeString | str:
        """Of one person."""
        return usd(obj.first_cents)

    @admin.display(description="each more")
    def more(self, obj: PovertyGuideline) -> SafeString | str:
        """Of each more."""
        return usd(obj.each_more_cents)


@admin.register(AssistancePolicy)
class AssistancePolicyAdmin(RuleAdmin):
    """Policies and their bands."""

    list_display = ("name", "state", "effective_from", "effective_to", "bands", "source")

    @admin.display(description="bands")
    def bands(self, obj: AssistancePolicy) -> str:
        """In a line."""
        return "; ".join(str(band) for band in obj.bands.all())


@admin.register(CharitableRule)
class CharitableRuleAdmin(RuleAdmin):
    """Rules of charitable coverage."""

    list_display = (
        "state", "from_age", "to_age", "over_pct", "up_to_pct", "years_at_most", "effective_from", "effective_to",
    )  # fmt: skip


@admin.register(ExcludedService)
class ExcludedServiceAdmin(RuleAdmin):
    """What no policy covers."""

    list_display = ("word", "why")
