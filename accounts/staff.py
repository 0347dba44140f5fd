"""What every staff page of a member's record has in common: the reason before a confidential member's, and actions.

An action is a page of its own with a reason. It asks for the permission and for a recent proof of who it is, refuses
one's own household, and calls the one function that does the thing.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import reauthentication
from accounts.households import is_of
from accounts.models import Delegate, Household, Member, User
from activity.models import WorkItem
from activity.recording import open_work
from activity.staff import ReadOnlyAdmin, page_of
from activity.staff_forms import ReasonForm
from billing_portal.ids import is_id
from ledger.money import InvalidAmount, format_usd, parse_usd

REASON_HOLDS_SECONDS = 15 * 60  # then a confidential member's record asks again
REASONS = "confidential_looks"

# What links to a list name a member or a household by.
OF_A_MEMBER = ("member__id__exact", "member_id", "member_id__exact")
OF_A_HOUSEHOLD = ("household__id__exact", "owner_id", "owner_id__exact")


class Refused(Exception):
    """The action cannot be done as asked; its text says why."""


class AmountField(forms.CharField):
    """Dollars and cents as a person writes them, cleaned to US cents."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "size": 12}
        super().__init__(widget=forms.TextInput(attributes), max_length=12, **options)

    def clean(self, value: Any) -> int:
        """US cents above 0."""
        text = super().clean(value)
        try:
            cents = parse_usd(text)
        except InvalidAmount as error:
            raise forms.ValidationError(str(error)) from error
        if cents == 0:
            raise forms.ValidationError("Write an amount above $0.00.")
        return cents


class ActionForm(ReasonForm):
    """A reason, and a key drawn when the page was opened: the same form sent twice does the thing once."""

    key = forms.RegexField(r"\A[0-9a-f]{16}\Z", widget=forms.HiddenInput, initial=partial(secrets.token_hex, 8))


class AmountForm(ActionForm):
    """An amount and a reason."""

    amount = AmountField(label="Amount in dollars")
    field_order = ("amount", "reason", "key")


Refusals: TypeAlias = Mapping[type[Exception], str]  # what a function refuses with, and what the page says of that
OWN_WORDS = "{}"  # a refusal's text as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that staff may do with a record. `run` does it and returns what to say.

    It raises Refused, or one of `refusals`.
    """

    suffix: str
    label: str
    explains: str
    permission: str
    run: Callable[[User, Any, dict[str, Any]], str]
    applies: Callable[[Any], bool] = lambda obj: True
    form: Callable[..., forms.Form] = ActionForm
    then: Callable[[HttpRequest, Any, dict[str, Any]], str] | None = (
        None  # in this session; where to go. Raises Refused
    )
    refusals: Refusals = field(default_factory=dict)
    opens: Callable[[Any], Sequence[Member]] = lambda obj: ()  # whose records it lets staff see beside the record's own

    def says(self, refusal: Exception) -> str:
        """What the page says of a refusal."""
        words = (said for kind, said in self.refusals.items() if isinstance(refusal, kind))
        return next(words, OWN_WORDS).format(refusal)


def is_own_household(user: User, household_id: int) -> bool:
    """Whether somebody of staff is of this household, or a delegate of one of its members."""
    return is_of(user, [household_id])


def own_households(user: User) -> list[int]:
    """The households that somebody of staff belongs to, as a member or a delegate."""
    own = list(Member.objects.filter(user=user).values_list("household_id", flat=True))
    delegations = Delegate.objects.filter(user=user, ended_at__isnull=True)
    return own + list(delegations.values_list("member__household_id", flat=True))


def closed_to(user: User) -> list[int]:
    """The confidential members of the households that somebody of staff belongs to."""
    own = own_households(user)
    if not own:
        return []
    confidential = Member.objects.filter(household_id__in=own, confidential_since__isnull=False)
    return list(confidential.values_list("pk", flat=True))


def usd(cents: int | None) -> SafeString | str:
    """An amount in a table."""
    return "-" if cents is None else format_html('<span class="portal-money">{}</span>', format_usd(cents))


def money(field: str, label: str) -> Callable[[Any, Any], SafeString | str]:
    """A column of a list or page that shows a field of US cents."""

    @admin.display(description=label)
    def column(page: Any, obj: Any) -> SafeString | str:
        value = obj
        for part in field.split("__"):
            value = getattr(value, part)
        return usd(value)

    return column


class MemberRecordAdmin(ReadOnlyAdmin):
    """A record of one or more members."""

    change_form_template = "admin/record.html"
    offered: Sequence[Action] = ()
    member_path = ""  # the lookup of the member whose amounts a row tells; empty where rows tell none

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the confidential of one's own household: to a parent of staff they are what they are to a parent."""
        rows = super().get_queryset(request)
        closed = closed_to(request.user) if self.member_path else []  # type: ignore[arg-type]
        return rows.exclude(**{f"{self.member_path}__in": closed}) if closed else rows

    def household_id_of(self, obj: Any) -> int:
        """Whose record it is."""
        household_id: int = obj.household_id
        return household_id

    def households_of(self, obj: Any) -> Collection[int]:
        """The households that it is about: none of them may be the viewer's own, where they act on it."""
        return {self.household_id_of(obj)}

    def members_of(self, obj: Any) -> Sequence[Member]:
        """The member whose record it is."""
        return [obj.member]

    def sought(self, request: HttpRequest, rows: Iterable[Any]) -> Collection[int]:
        """Whom a search or a link names, found or not; otherwise those whose rows it found."""
        return self.named(request) or super().sought(request, rows)

    def named(self, request: HttpRequest) -> set[int]:
        """The members that a search or a link names by a number or an address, their own or their household's."""
        asked = {key: str(request.GET[key]).strip() for key in ("q", *self.linked_by) if request.GET.get(key)}
        ids = {key: int(value) for key, value in asked.items() if is_id(value)}
        members = Member.objects.filter(pk__in={ids[key] for key in OF_A_MEMBER if key in ids})
        found = set(members.values_list("pk", flat=True))
        households = {ids[key] for key in OF_A_HOUSEHOLD if key in ids}
        if term := asked.get("q", ""):
            # One by one, so that each is an index of one table.
            households |= set(Household.objects.filter(number=term).values_list("pk", flat=True))
            found |= set(Member.objects.filter(number__in={term, term.upper()}).values_list("pk", flat=True))
            users = list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)) if "@" in term else []
            found |= set(Member.objects.filter(user_id__in=users).values_list("pk", flat=True))
        return found | set(Member.objects.filter(household_id__in=households).values_list("pk", flat=True))

    def barrier(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """A confidential member's record opens for a reason, which is recorded first (FAULTS F25)."""
        return self._asked(request, obj, self.members_of(obj))

    def _asked(self, request: HttpRequest, obj: Any, whose: Sequence[Member]) -> HttpResponse | None:
        """The page that asks for a reason, unless one was given for all of them who are confidential."""
        members = [member for member in whose if member.is_confidential]
        given: dict[str, float] = request.session.get(REASONS, {})
        fresh = time.time() - REASON_HOLDS_SECONDS
        if members and any(is_own_household(request.user, member.household_id) for member in members):  # type: ignore[arg-type]
            raise PermissionDenied("a confidential record of one's own household")
        if all(given.get(str(member.pk), 0) > fresh for member in members):
            return None
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            own = self.members_of(obj)
            for member in [*own, *(each for each in members if each not in own)]:
                self._looked(
                    request, self.subject_of(obj), "confidential", form.cleaned_data["reason"], member_id=member.pk
                )
            self._report_looks(request, members)
            now = {str(member.pk): time.time() for member in members}
            request.session[REASONS] = {key: at for key, at in given.items() if at > fresh} | now
            return HttpResponseRedirect(request.get_full_path())
        return self.render(request, "admin/reason.html", "Confidential record", obj, form=form)

    def _report_looks(self, request: HttpRequest, members: Sequence[Member]) -> None:
        """Let a second person read why a confidential record was opened: once a person, member and day (F25)."""
        today = timezone.localdate()
        for member in members:
            open_work(
                WorkItem.Kind.CONFIDENTIAL_LOOK, subject=f"member:{member.number}",
                dedupe_key=f"confidential:{request.user.pk}:{member.pk}:{today}", detail=f"By user {request.user.pk}.",
            )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and a page for each action."""
        pages = [self.page(action.suffix, partial(self._act, action=action)) for action in self.offered]
        return [*pages, *super().get_urls()]

    def tools(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """The actions that this viewer may take on this record now."""
        return [
            (action.label, self.page_address(action.suffix, obj))
            for action in self.offered
            if request.user.has_perm(action.permission) and action.applies(obj)
        ]

    def _act(self, request: HttpRequest, object_id: str, *, action: Action) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or not user.has_perm(action.permission) or not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if is_of(user, self.households_of(obj)):
            messages.error(request, "This is your own household: somebody else has to do it.")
            return HttpResponseRedirect(page_of(obj))
        if (before := self.barrier(request, obj) or self._asked(request, obj, action.opens(obj))) is not None:
            return before
        return reauthentication.required(self._act_on)(request, user, obj, action)

    def _act_on(self, request: HttpRequest, user: User, obj: Any, action: Action) -> HttpResponse:
        form = action.form(request.POST if request.method == "POST" else None)
        refusals: tuple[type[Exception], ...] = (Refused, *action.refusals)
        if request.method == "POST" and action.applies(obj) and form.is_valid():
            try:
                done = action.run(user, obj, form.cleaned_data)
                to = action.then(request, obj, form.cleaned_data) if action.then else page_of(obj)
            except refusals as refusal:
                form.add_error(None, action.says(refusal))
            else:
                self.look(request, obj, action=action.suffix, reason=form.cleaned_data["reason"])
                messages.success(request, done)
                return HttpResponseRedirect(to)
        return self._action_page(request, obj, action, form)

    def _action_page(self, request: HttpRequest, obj: Any, action: Action, form: forms.Form) -> TemplateResponse:
        status = 200 if request.method != "POST" else 422
        page = self.render(
            request, "admin/action.html", action.label, obj, form=form, action=action, back=page_of(obj),
            applies=action.applies(obj), summary=self.summary(obj),
        )  # fmt: skip
        page.status_code = status
        return page

    def summary(self, obj: Any) -> list[tuple[str, object]]:
        """What an action's page says of the record."""
        return []
