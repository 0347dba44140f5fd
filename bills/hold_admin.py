"""Staff pages: which bills wait and for what, how long, and letting them go on."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.models import Household, Member, User
from accounts.staff import Action, ActionForm, MemberRecordAdmin, Refused
from activity import ages, filters
from activity.staff import link
from bills import holds
from bills.models import Bill, Hold

MAX_SHOWN = 50

# What staff hold a bill for. The others come of something (a claim, an application) and end with it.
BY_HAND = (
    Hold.Cause.REVIEW, Hold.Cause.DISPUTE, Hold.Cause.APPEAL, Hold.Cause.BANKRUPTCY, Hold.Cause.DECEASED,
)  # fmt: skip
END_BY_THEMSELVES = (Hold.Cause.CLAIM_OPEN, Hold.Cause.ASSISTANCE)


class HoldForm(ActionForm):
    """For what a bill is to wait, and why."""

    cause = forms.ChoiceField(choices=[(cause.value, cause.name.capitalize()) for cause in BY_HAND])
    field_order = ("cause", "reason", "key")


def _hold(user: User, bill: Bill, cleaned: dict[str, Any]) -> str:
    cause = Hold.Cause(cleaned["cause"])
    holds.begin(bill, cause=cause, reference=f"staff:{cleaned['key']}", reason=cleaned["reason"][:200], by=user)
    return "The bill is on hold: nothing charges it or reminds of it."


def _end(user: User, hold: Hold, cleaned: dict[str, Any]) -> str:
    if not holds.end([hold], by=user):
        raise Refused("The hold has ended already.")
    return "The hold has ended."


HOLD = Action(
    suffix="hold", label="Hold", permission="bills.add_hold", form=HoldForm, run=_hold,
    applies=lambda bill: bill.voided_at is None and bill.balance_cents > 0,
    explains="While it is on hold nothing charges the bill, reminds of it or adds to it. It can be paid on purpose.",
)  # fmt: skip


def holds_table(bill: Bill) -> dict[str, object]:
    """Why a bill waits or waited, the latest first."""
    rows = bill.holds.order_by("-began_at", "-pk")[:MAX_SHOWN]
    return {
        "title": "Holds",
        "heads": ("For", "Of", "Since", "Until", "Reason"),
        "rows": [
            (link(hold, hold.cause), hold.reference or "-", hold.began_at, hold.ended_at or "it stands", hold.reason)
            for hold in rows
        ],
        "empty": "The bill is not on hold and never was.",
    }


class StandingFilter(filters.StateFilter):
    """Holds that stand first; ended ones on demand."""

    unfiltered = "Standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Ended."""
        return [("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        """Filter by what was chosen."""
        return queryset.filter(ended_at__isnull=self.value() != "ended")


class HeldForFilter(filters.AgeFilter):
    """How long a bill has waited."""

    since = "began_at"
    choices_in_days: ClassVar = {"3": 3, "7": 7, "28": 28}


@admin.register(Hold)
class HoldAdmin(MemberRecordAdmin):
    """Holds: the oldest first, since somebody waits."""

    member_path = "bill__member"
    change_list_template = "admin/aged_list.html"
    list_display = ("what", "bill_link", "household_link", "reference", "began_at", "age", "ended_at")
    list_display_links = ("what",)
    list_filter = (StandingFilter, HeldForFilter, "cause")
    list_select_related = ("bill", "bill__household", "bill__member")
    ordering = ("began_at", "pk")
    search_help_text = "The number of a bill or a household, or what it came of, whole: inquiry:12"
    exact_search = ("reference",)
    linked_by = ("bill__id__exact",)
    fields = (
        "what", "bill_link", "household_link", "reference", "reason", "began_at", "began_by", "age", "ended_at",
        "ended_by",
    )  # fmt: skip
    readonly_fields = ("what", "bill_link", "household_link", "age")
    offered = (
        Action(
            suffix="end", label="End the hold", permission="bills.change_hold", run=_end,
            applies=lambda hold: hold.ended_at is None and hold.cause not in END_BY_THEMSELVES,
            explains="Where no other hold stands, the bill is charged and reminded of again.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """By bill, household, or what it came of."""
        bill_ids = list(Bill.objects.filter(number=term.upper()).order_by().values_list("pk", flat=True))
        household_ids = list(Household.objects.filter(number=term).values_list("pk", flat=True))
        return super().searched(term) | Q(bill_id__in=bill_ids) | Q(bill__household_id__in=household_ids)

    def household_id_of(self, obj: Hold) -> int:
        """The bill's."""
        return obj.bill.household_id

    def members_of(self, obj: Hold) -> Sequence[Member]:
        """Whose bill it is."""
        return [obj.bill.member]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what waits by age."""
        began = Hold.objects.standing().values_list("began_at", flat=True)
        chart = ages.chart(began, title="Bills on hold, by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    def summary(self, obj: Hold) -> list[tuple[str, object]]:
        """What an action is about."""
        return [("Bill", obj.bill.number), ("For", obj.cause), ("Since", obj.began_at)]

    @admin.display(description="for")
    def what(self, obj: Hold) -> str:
        """The cause, in a word."""
        return Hold.Cause(obj.cause).name.replace("_", " ").capitalize()

    @admin.display(description="bill")
    def bill_link(self, obj: Hold) -> SafeString | str:
        """The bill."""
        return link(obj.bill)

    @admin.display(description="household")
    def household_link(self, obj: Hold) -> SafeString | str:
        """The household."""
        return link(obj.bill.household)

    @admin.display(description="age", ordering="began_at")
    def age(self, obj: Hold) -> str:
        """How long the bill has waited."""
        return timesince(obj.began_at, obj.ended_at or timezone.now())
