"""Staff pages: households, members and what covers them; sign-ins and roles; the book's accounts and transfers."""

from collections.abc import Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from accounts import access_report, closing_admin, code_actions, departure_admin, ledger_admin, staff_access, viewing
from accounts.models import ConsentRule, Coverage, Delegate, Household, Member, Plan, User
from accounts.staff import OWN_WORDS, Action, MemberRecordAdmin, money, usd
from activity.staff import ReadOnlyAdmin, link, listed

__all__ = ["ledger_admin"]

# Others' pages would edit what is not to be edited by hand: addresses that sign in, second factors, sessions.
for model in (EmailAddress, Authenticator, UserSession, Group):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

MAX_SHOWN = 50


def _see_as(request: HttpRequest, member: Member, cleaned: dict[str, Any]) -> str:
    viewing.begin(request, member, reason=cleaned["reason"])
    return reverse("overview")


@admin.register(Household)
class HouseholdAdmin(MemberRecordAdmin):
    """A household: who is in it, what it owes, and the way to everything that belongs to it."""

    list_display = ("number", "holder", "city", "state", "zip")
    search_help_text = "A household's or a member's number, or a last name, whole"
    exact_search = ("number",)
    fields = ("number", "address", "city", "state", "zip", "is_paperless", "credit_link", "closed_on")
    readonly_fields = ("credit_link",)
    offered = closing_admin.ACTIONS

    def searched(self, term: str) -> Q:
        """By its number, or by its members'."""
        return super().searched(term) | Q(pk__in=_households_of(term))

    def household_id_of(self, obj: Household) -> int:
        """Itself."""
        return obj.pk

    def members_of(self, obj: Household) -> Sequence[Member]:
        """Everybody in it."""
        return list(obj.members.order_by("pk"))

    def barrier(self, request: HttpRequest, obj: Any) -> None:
        """No barrier: the page says of a confidential member that there is one, and no amount of theirs."""

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the credit account."""
        return super().get_queryset(request).select_related("credit").prefetch_related("members")

    @admin.display(description="primary holder")
    def holder(self, obj: Household) -> SafeString | str:
        """The primary holder."""
        return next((link(m, m.full_name) for m in obj.members.all() if m.is_primary_holder), "-")

    @admin.display(description="credit")
    def credit_link(self, obj: Household) -> SafeString | str:
        """What the plan owes the household, and the account that says so."""
        return link(obj.credit, usd(-obj.credit.balance_cents)) if obj.credit else "-"

    def page_context(self, request: HttpRequest, obj: Household) -> dict[str, Any]:
        """Who owes what, and what covers them."""
        members = list(obj.members.select_related("medical_control", "premium_control").order_by("pk")[:MAX_SHOWN])
        return super().page_context(request, obj) | {
            "tables": [
                {
                    "title": "Members and what they owe",
                    "heads": ("Member", "Name", "Relationship", "Signs in", "Medical", "Premiums"),
                    "rows": [*map(_member_row, members), _total_row(members)],
                    "empty": "Nobody is in this household.",
                },
                {
                    "title": "Coverages",
                    "heads": ("Plan", "Kind", "From", "To", "Premium", "Subsidy"),
                    "rows": [
                        (
                            link(coverage, coverage.plan), coverage.get_kind_display(), coverage.start_on,
                            coverage.end_on or "-", usd(coverage.premium_cents), usd(coverage.subsidy_cents),
                        )
                        for coverage in obj.coverages.select_related("plan").order_by("-start_on")[:MAX_SHOWN]
                    ],
                    "empty": "Nothing covers this household.",
                },
            ]
        }  # fmt: skip

    def related(self, request: HttpRequest, obj: Household) -> list[tuple[str, str]]:
        """Everything that belongs to it."""
        return [
            ("Bills", listed("bills_bill", household__id__exact=obj.pk)),
            ("Claims", listed("bills_claim", household__id__exact=obj.pk)),
            ("Payments", listed("payments_payment", household__id__exact=obj.pk)),
            ("Transfers", listed("ledger_transfer", owner_id=obj.pk)),
            ("What happened", listed("activity_event", owner_id=obj.pk)),
        ]


@admin.register(Member)
class MemberAdmin(MemberRecordAdmin):
    """A member."""

    list_display = (
        "number", "name", "household_link", "relationship", "is_primary_holder", "is_confidential", "is_private_side",
    )  # fmt: skip
    list_select_related = ("household",)
    search_help_text = "A member's or household's number, or a last name, whole"
    exact_search = ("number",)
    fields = (
        "number", "name", "birth_date", "relationship", "is_primary_holder", "household_link", "user_link",
        "confidential_since", "private_of_link", "left_on", "letters_to", "died_on", "medical_owed", "premiums_owed",
    )  # fmt: skip
    readonly_fields = (
        "name", "household_link", "user_link", "private_of_link", "letters_to", "medical_owed", "premiums_owed",
    )  # fmt: skip
    linked_by = ("household__id__exact",)

    offered = (
        Action(
            suffix="view-as", label="See the portal as this member", permission=viewing.PERMISSION,
            run=lambda user, member, cleaned: "You see what the member sees.", then=_see_as, applies=viewing.is_offered,
            opens=viewing.seen_apart, refusals={viewing.NotViewable: OWN_WORDS},
            explains="For 15 minutes, only to read. The reason and every page that you open are written down, and the "
            "member can ask who looked.",
        ),
        *departure_admin.ACTIONS,
        *code_actions.OFFERED,
    )  # fmt: skip
    medical_owed = money("medical_control__balance_cents", "Owes, medical")
    premiums_owed = money("premium_control__balance_cents", "Owes, premiums")

    def searched(self, term: str) -> Q:
        """By number, by the household's number, or by last name."""
        household_ids = list(Household.objects.filter(number=term).values_list("pk", flat=True))
        return super().searched(term) | Q(household_id__in=household_ids) | Q(last_name__iexact=term)

    def members_of(self, obj: Member) -> Sequence[Member]:
        """Itself."""
        return [obj]

    @admin.display(description="name")
    def name(self, obj: Member) -> str:
        """First and last name."""
        return obj.full_name

    @admin.display(description="letters, after leaving")
    def letters_to(self, obj: Member) -> str:
        """Where letters go to who leaves or has left."""
        told = obj.departures.filter(canceled_at__isnull=True).exclude(address="").order_by("-on", "-pk").first()
        return f"{told.address}, {told.city}, {told.state} {told.zip}" if told is not None else "-"

    @admin.display(description="confidential", boolean=True)
    def is_confidential(self, obj: Member) -> bool:
        """Whether a confidential communications request stands."""
        return obj.is_confidential

    @admin.display(description="private side", boolean=True)
    def is_private_side(self, obj: Member) -> bool:
        """Whether it is what somebody may consent to themself, apart from the rest of them."""
        return obj.private_of_id is not None

    @admin.display(description="private side of")
    def private_of_link(self, obj: Member) -> SafeString | str:
        """The person's other row, of a private side."""
        return link(obj.private_of) if obj.private_of else "-"

    @admin.display(description="household")
    def household_link(self, obj: Member) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="signs in as")
    def user_link(self, obj: Member) -> SafeString | str:
        """The sign-in."""
        return link(obj.user, obj.user.email) if obj.user else "-"

    def get_urls(self) -> list[URLPattern]:
        """The others, and the report of who looked."""
        return [self.page("looks", self.looks), *super().get_urls()]

    def tools(self, request: HttpRequest, obj: Member) -> list[tuple[str, str]]:
        """What the viewer may do, and the report for a member who asks."""
        report = [("Who looked: the member's report", self.page_address("looks", obj))]
        return [*super().tools(request, obj), *(report if request.user.has_perm("activity.view_access") else [])]

    def looks(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who looked at this member's record, to be given to the member."""
        if not request.user.has_perm("activity.view_access"):
            raise PermissionDenied
        member: Member | None = self.get_object(request, object_id)
        if member is None:
            raise Http404
        if (before := self.barrier(request, member)) is not None:
            return before
        self.look(request, member, action="access-report")
        title = f"Who looked at the record of {member.full_name}"
        return self.render(
            request, "admin/access_report.html", title, member, report=access_report.of(member),
            left_out=access_report.LEFT_OUT,
        )  # fmt: skip

    def related(self, request: HttpRequest, obj: Member) -> list[tuple[str, str]]:
        """What belongs to the member."""
        return [
            ("Bills", listed("bills_bill", member__id__exact=obj.pk)),
            ("Claims", listed("bills_claim", member__id__exact=obj.pk)),
            ("Who looked", listed("activity_access", member_id=obj.pk)),
        ]


@admin.register(ConsentRule)
class ConsentRuleAdmin(ReadOnlyAdmin):
    """From which age somebody may consent to what, with the first day of each rule; they change by a migration."""

    list_display = ("state", "kind", "from_age", "effective_from", "source")
    list_filter = ("state", "kind")


@admin.register(Delegate)
class DelegateAdmin(MemberRecordAdmin):
    """What members granted other people."""

    member_path = "member"
    list_display = ("id", "member", "user_email", "grant", "until", "ended_at")
    list_select_related = ("member", "user")
    list_filter = ("grant",)
    fields = ("member", "user_email", "grant", "until", "ended_at", "created_at")
    readonly_fields = ("user_email",)

    def household_id_of(self, obj: Delegate) -> int:
        """The member's."""
        return obj.member.household_id

    @admin.display(description="delegate")
    def user_email(self, obj: Delegate) -> str:
        """Who it was granted to."""
        return obj.user.email


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Plans and their limits."""

    list_display = ("name", "year", "deductible", "out_of_pocket")
    list_filter = ("year",)
    deductible = money("deductible_individual_cents", "Deductible, individual")
    out_of_pocket = money("out_of_pocket_individual_cents", "Out of pocket, individual")


@admin.register(Coverage)
class CoverageAdmin(MemberRecordAdmin):
    """What covers whom."""

    member_path = "subscriber"
    list_display = ("id", "plan", "kind", "household", "start_on", "end_on", "premium", "subsidy")
    list_select_related = ("plan", "household")
    list_filter = ("kind",)
    search_help_text = "A household's number"
    fields = (
        "plan", "kind", "household", "subscriber", "members", "start_on", "end_on", "premium", "subsidy",
        "subsidy_ends_on", "charitable", "charitable_starts_on", "charitable_ends_on", "source", "source_id",
    )  # fmt: skip
    readonly_fields = ("premium", "subsidy", "charitable")
    exact_search = ("source_id",)
    linked_by = ("household__id__exact",)
    premium = money("premium_cents", "Premium a month")
    subsidy = money("subsidy_cents", "Subsidy a month")
    charitable = money("charitable_cents", "Charitable share a month")

    def searched(self, term: str) -> Q:
        """By household."""
        return Q(household_id__in=list(Household.objects.filter(number=term).values_list("pk", flat=True)))

    def members_of(self, obj: Coverage) -> Sequence[Member]:
        """The subscriber."""
        return [obj.subscriber]

    def related(self, request: HttpRequest, obj: Coverage) -> list[tuple[str, str]]:
        """Its premiums."""
        return [("Premium bills", listed("bills_bill", coverage__id__exact=obj.pk))]


@admin.register(User)
class UserAdmin(MemberRecordAdmin):
    """Who signs in, and the roles of staff."""

    list_display = ("email", "is_active", "is_staff", "is_superuser", "date_joined")
    list_filter = ("is_staff",)
    search_help_text = "An email address, whole"
    exact_search = ("email",)
    fields = ("email", "is_active", "is_staff", "is_superuser", "groups", "language", "date_joined", "last_login")
    offered = (
        Action(
            suffix="roles", label="Change roles", permission="accounts.change_user", form=staff_access.AccessForm,
            run=staff_access.run, applies=lambda user: not user.is_superuser,
            explains="The roles replace those there are. All of the person's sessions end.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """By address, which is kept in lower case."""
        return Q(email=term.lower())

    def household_id_of(self, obj: User) -> int:
        """No household's: roles are given to a sign-in."""
        return 0

    def members_of(self, obj: User) -> Sequence[Member]:
        """The members it is the sign-in of."""
        return list(obj.members.all()[:MAX_SHOWN])

    def barrier(self, request: HttpRequest, obj: Any) -> None:
        """No barrier: nothing of a member's record is shown."""

    def related(self, request: HttpRequest, obj: User) -> list[tuple[str, str]]:
        """Whose records it looked at."""
        return [("What they looked at", listed("activity_access", user__id__exact=obj.pk))]


def _member_row(member: Member) -> tuple[object, ...]:
    hidden = "confidential" if member.is_confidential else None
    return (
        link(member), member.full_name, member.get_relationship_display(), "yes" if member.user_id else "no",
        hidden or usd(member.medical_control.balance_cents), hidden or usd(member.premium_control.balance_cents),
    )  # fmt: skip


def _total_row(members: Sequence[Member]) -> tuple[object, ...]:
    """What the household owes, without confidential members."""
    open_ones = [member for member in members if not member.is_confidential]
    medical = sum(member.medical_control.balance_cents for member in open_ones)
    premium = sum(member.premium_control.balance_cents for member in open_ones)
    return ("Together", usd(medical + premium), "", "", usd(medical), usd(premium))


def _households_of(term: str) -> list[int]:
    """The households of members of this number or last name."""
    named = Member.objects.filter(Q(number=term) | Q(last_name__iexact=term))
    return list(named.values_list("household_id", flat=True)[:MAX_SHOWN])
