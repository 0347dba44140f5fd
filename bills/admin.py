"""Staff pages: bills, claims and what counts towards the year's limits."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.ledger_admin import history_table
from accounts.models import Household, Member, User
from accounts.staff import (
    OWN_WORDS,
    Action,
    ActionForm,
    AmountField,
    AmountForm,
    MemberRecordAdmin,
    Refusals,
    Refused,
    money,
    usd,
)
from activity.staff import link, listed
from bills import banking_days, check_facts, checking, estimate_admin, hold_admin, import_admin, issuing
from bills.models import Accumulator, Bill, Claim
from ledger.chart import Code
from ledger.models import Transfer
from ledger.money import format_usd

__all__ = ["estimate_admin", "hold_admin", "import_admin"]

SHARES = ("deductible", "copay", "coinsurance", "not_covered")
MAX_LINES = 500
EXCEEDS: Refusals = {issuing.AmountExceedsBalance: "That is more than what is owed on the bill."}


def _adjust(code: Code) -> Any:
    def run(user: User, bill: Bill, cleaned: dict[str, Any]) -> str:
        key = issuing.key_by_hand(bill, cleaned["key"])
        if Transfer.objects.filter(owner_id=bill.household_id, key=key).exists():
            return "This was done already."
        issuing.adjust(
            bill, amount_cents=cleaned["amount"], key=key, on=timezone.localdate(), reason=cleaned["reason"],
            actor=f"user:{user.pk}", code=code,
        )  # fmt: skip
        return "The bill is adjusted."

    return run


def _correct(user: User, bill: Bill, cleaned: dict[str, Any]) -> str:
    issuing.correct_by_hand(
        bill, to_cents=cleaned["amount"], draft_key=cleaned["key"], on=timezone.localdate(),
        reason=cleaned["reason"], actor=f"user:{user.pk}",
    )  # fmt: skip
    return "The bill is corrected. What was paid beyond its new amount is household credit now."


def _void(user: User, bill: Bill, cleaned: dict[str, Any]) -> str:
    if not issuing.void(bill, on=timezone.localdate(), reason=cleaned["reason"], actor=f"user:{user.pk}"):
        raise Refused("The bill is void already.")
    return "The bill is void. What was paid of it is household credit now."


def _is_owed(bill: Bill) -> bool:
    return bill.voided_at is None and bill.balance_cents > 0


class CorrectForm(AmountForm):
    """What a bill should have asked for, and why."""

    amount = AmountField(label="What the bill should ask for, in dollars")


def _check_table(bill: Bill) -> dict[str, Any]:
    """What the bill check finds, counting everybody's claims: more than a member may see of the family's."""
    is_checked = bill.kind == Bill.Kind.MEDICAL and bill.voided_at is None
    result = checking.check(check_facts.gather(bill)) if is_checked else None
    matches = result is not None and result.matches
    return {
        "title": "Bill check",
        "heads": ("Flag", "About", "Too much by", "Sums"),
        "rows": [
            (
                finding.flag.replace("_", " "), finding.about or "-", usd(finding.over_cents),
                "; ".join(f"{name.replace('_', ' ')} {format_usd(cents)}" for name, cents in finding.sums.items()),
            )
            for finding in (result.findings if result else ())
        ],
        "empty": "The bill matches its claim." if matches else "Nothing is flagged; there is no claim to compare with.",
    }  # fmt: skip


class RecordAdmin(MemberRecordAdmin):
    """A member's record, found by its own, the household's or the member's number. Lists name no service."""

    member_path = "member"
    linked_by: Sequence[str] = ("household__id__exact", "member__id__exact")
    list_select_related: ClassVar[tuple[str, ...]] = ("household", "member")

    def searched(self, term: str) -> Q:
        """Ids first, so that every branch is an index of the one table."""
        household_ids = list(Household.objects.filter(number=term).values_list("pk", flat=True))
        member_ids = list(Member.objects.filter(number=term).values_list("pk", flat=True))
        return super().searched(term) | Q(household_id__in=household_ids) | Q(member_id__in=member_ids)

    @admin.display(description="household")
    def household_link(self, obj: Any) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="member")
    def member_link(self, obj: Any) -> SafeString | str:
        """The member, by number."""
        return link(obj.member)


class VoidFilter(admin.SimpleListFilter):
    """Bills that stand, and those that were voided."""

    title = "void"
    parameter_name = "void"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """No, yes."""
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Bill]) -> QuerySet[Bill]:
        """Filter by what was chosen."""
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(voided_at__isnull=self.value() == "no")


@admin.register(Bill)
class BillAdmin(RecordAdmin):
    """Bills: what was charged, what moved since, and what staff may do about it."""

    list_display = ("number", "kind", "household_link", "member_link", "issued_on", "due_on", "amount", "owed", "state")
    list_filter = ("kind", VoidFilter)
    list_select_related = ("household", "member", "receivable")
    search_help_text = "The number of a bill, a household or a member, whole"
    exact_search = ("number",)
    linked_by = ("household__id__exact", "member__id__exact", "coverage__id__exact")
    fieldsets = (
        (None, {"fields": (
            "number", "kind", "title", "provider_name", "household_link", "member_link", "service_on", "period",
            "issued_on", "due_on", "state", "amount", "owed",
        )}),
        ("More", {"classes": ("collapse",), "fields": (
            "coverage_link", "receivable_link", "voided_at", "held_since", "hold_reason", "shared_at", "source",
            "source_id",
        )}),
    )  # fmt: skip
    readonly_fields = (
        "household_link", "member_link", "coverage_link", "receivable_link", "amount", "owed", "state",
    )  # fmt: skip
    amount = money("amount_cents", "Charged")
    owed = money("receivable__balance_cents", "Owed now")
    offered = (
        Action(
            suffix="adjust", label="Adjust", permission="bills.change_bill", form=AmountForm, applies=_is_owed,
            run=_adjust(Code.ADJUSTMENT), refusals=EXCEEDS,
            explains="Takes an amount off what is owed, at the plan's expense.",
        ),
        Action(
            suffix="write-off", label="Write off", permission="bills.change_bill", form=AmountForm, applies=_is_owed,
            run=_adjust(Code.WRITE_OFF), refusals=EXCEEDS,
            explains="Gives up an amount that will not be collected.",
        ),
        Action(
            suffix="correct", label="Correct", permission="bills.change_bill", form=CorrectForm, run=_correct,
            refusals={issuing.NotLower: OWN_WORDS},
            applies=lambda bill: bill.kind == Bill.Kind.MEDICAL and bill.voided_at is None and bill.amount_cents > 0,
            explains="Lowers what a wrong bill asks for, whether it was paid or not, as a corrected claim would. "
            "What was paid beyond it becomes household credit. To take all of it back, void the bill.",
        ),
        Action(
            suffix="void", label="Void", permission="bills.change_bill", form=ActionForm, run=_void,
            applies=lambda bill: bill.voided_at is None,
            explains="Charges the whole bill back. What was paid of it becomes household credit.",
        ),
        hold_admin.HOLD,
    )  # fmt: skip

    @admin.display(description="state")
    def state(self, obj: Bill) -> str:
        """In a word, for staff."""
        if obj.voided_at is not None:
            return "void"
        if obj.balance_cents == 0:
            return "paid"
        if obj.held_since is not None:
            return "on hold"
        if obj.on_plan_since is not None:
            return "on a plan"
        return "past due" if obj.due_on < banking_days.first_due_in_time(timezone.localdate()) else "open"

    @admin.display(description="coverage")
    def coverage_link(self, obj: Bill) -> SafeString | str:
        """The coverage that a premium is for."""
        return link(obj.coverage)

    @admin.display(description="receivable")
    def receivable_link(self, obj: Bill) -> SafeString | str:
        """The account that its balance is of."""
        return link(obj.receivable)

    def page_context(self, request: HttpRequest, obj: Bill) -> dict[str, Any]:
        """Its lines, and the history of its balance straight from the ledger."""
        lines = {
            "title": "Lines",
            "heads": ("", "Service", "On", "Charged", "Discount", "Plan paid", "Member's share"),
            "rows": [
                (
                    line.position, line.description, line.service_on or "-", usd(line.charged_cents),
                    usd(line.discount_cents), usd(line.plan_paid_cents), usd(line.amount_cents),
                )
                for line in obj.lines.all()[:MAX_LINES]
            ],
            "empty": "The bill has no lines.",
        }  # fmt: skip
        return super().page_context(request, obj) | {
            "tables": [_check_table(obj), history_table(obj.receivable_id), hold_admin.holds_table(obj), lines]
        }

    def related(self, request: HttpRequest, obj: Bill) -> list[tuple[str, str]]:
        """What belongs to it."""
        return [
            ("Holds", listed("bills_hold", bill__id__exact=obj.pk)),
            ("Claims", listed("bills_claim", bill__id__exact=obj.pk)),
            ("Payments", listed("payments_payment", allocations__bill__id__exact=obj.pk)),
            ("Transfers", listed("ledger_transfer", account=obj.receivable_id)),
            ("Questions", listed("support_inquiry", bill__id__exact=obj.pk)),
            ("What happened", listed("activity_event", subject=f"bill:{obj.number}")),
            ("Who looked", listed("activity_access", q=f"bill:{obj.number}")),
        ]

    def summary(self, obj: Bill) -> list[tuple[str, object]]:
        """What an action is about."""
        return [
            ("Bill", obj.number),
            ("Household", obj.household),
            ("Charged", usd(obj.amount_cents)),
            ("Asks for now", usd(issuing.asked_cents(obj))),
            ("Owed now", usd(obj.balance_cents)),
        ]


@admin.register(Claim)
class ClaimAdmin(RecordAdmin):
    """Claims (explanations of benefits)."""

    list_display = ("number", "household_link", "member_link", "service_on", "status", "billed", "plan_paid", "owes")
    list_filter = ("status",)
    search_help_text = "The number of a claim, a household or a member, whole"
    exact_search = ("number",)
    linked_by = ("household__id__exact", "member__id__exact", "bill__id__exact")
    fields = (
        "number", "kind", "status", "provider_name", "household_link", "member_link", "bill_link", "replaces_link",
        "service_on", "service_end_on", "processed_on", "billed", "allowed", "plan_paid", *SHARES, "owes", "source",
        "source_id", "source_updated_at",
    )  # fmt: skip
    readonly_fields = (
        "household_link", "member_link", "bill_link", "replaces_link", "billed", "allowed", "plan_paid", *SHARES,
        "owes",
    )  # fmt: skip
    billed = money("billed_cents", "Billed")
    allowed = money("allowed_cents", "Allowed")
    plan_paid = money("plan_paid_cents", "Plan paid")
    deductible = money("deductible_cents", "Deductible")
    copay = money("copay_cents", "Copay")
    coinsurance = money("coinsurance_cents", "Coinsurance")
    not_covered = money("not_covered_cents", "Not covered")
    owes = money("member_owes_cents", "Member owes")

    def page_context(self, request: HttpRequest, obj: Claim) -> dict[str, Any]:
        """Its services."""
        services = {
            "title": "Services",
            "heads": (
                "", "Service", "On", "Billed", "Allowed", "Plan paid", "Deductible", "Copay", "Coinsurance",
                "Not covered",
            ),
            "rows": [
                (
                    line.position, line.description, line.service_on or "-", usd(line.billed_cents),
                    usd(line.allowed_cents), usd(line.plan_paid_cents),
                    *(usd(getattr(line, f"{share}_cents")) for share in SHARES),
                )
                for line in obj.lines.all()[:MAX_LINES]
            ],
            "empty": "The claim has no services.",
        }  # fmt: skip
        return super().page_context(request, obj) | {"tables": [services]}

    @admin.display(description="bill")
    def bill_link(self, obj: Claim) -> SafeString | str:
        """The bill of what the member owes."""
        return link(obj.bill)

    @admin.display(description="replaces")
    def replaces_link(self, obj: Claim) -> SafeString | str:
        """The claim that this one corrects."""
        return link(obj.replaces)


@admin.register(Accumulator)
class AccumulatorAdmin(MemberRecordAdmin):
    """What a member's claims of a year count towards the year's limits."""

    member_path = "member"
    list_display = ("id", "member", "year", "deductible", "out_of_pocket")
    list_select_related = ("member",)
    fields = ("member", "year", "deductible", "out_of_pocket")
    readonly_fields = ("deductible", "out_of_pocket")
    deductible = money("deductible_cents", "Towards the deductible")
    out_of_pocket = money("out_of_pocket_cents", "Towards the out-of-pocket limit")

    def household_id_of(self, obj: Accumulator) -> int:
        """The member's."""
        return obj.member.household_id

    def members_of(self, obj: Accumulator) -> Sequence[Member]:
        """The member."""
        return [obj.member]
