"""What the list of bills can be narrowed to. A choice that is not the viewer's own narrows nothing (FAULTS F02)."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from accounts.visibility import Scope
from bills.banking_days import first_due_in_time
from bills.models import Bill, BillQuerySet
from ledger.money import InvalidAmount, parse_usd
from payments.states import IN_FLIGHT

STATES = [
    ("open", _("To pay")),
    ("past_due", _("Past due")),
    ("processing", _("Payment on its way")),
    ("paid", _("Paid")),
    ("on_plan", _("On a payment plan")),
    ("under_review", _("Under review")),
    ("void", _("Void")),
]


class DateInput(forms.DateInput):
    """The browser's own date control."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"min": "2000-01-01", "max": "2100-12-31"})


class DollarsField(forms.Field):
    """An amount in dollars, as US cents: by the one grammar of ledger.money (FAULTS I04)."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "maxlength": 14})

    def to_python(self, value: Any) -> Any:
        """Return US cents, or None. Raises ValidationError."""
        if not value or not value.strip():
            return None
        try:
            return parse_usd(value.strip())
        except InvalidAmount:
            raise forms.ValidationError(_("Write an amount in dollars, for example 25 or 25.50.")) from None


class DollarsFilter(django_filters.Filter):  # type: ignore[misc]  # the library has no types
    """Narrows by an amount in dollars."""

    field_class = DollarsField


class BillFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Person, kind, state, dates, provider, amount."""

    person = django_filters.ModelChoiceFilter(
        field_name="member", queryset=Member.objects.none(), label=_("Person"), empty_label=_("Everyone")
    )
    kind = django_filters.ChoiceFilter(choices=Bill.Kind.choices, label=_("Kind"), empty_label=_("All kinds"))
    state = django_filters.ChoiceFilter(
        choices=STATES, method="by_state", label=_("State"), empty_label=_("All states")
    )
    since = django_filters.DateFilter(field_name="due_on", lookup_expr="gte", label=_("Due from"), widget=DateInput())
    until = django_filters.DateFilter(field_name="due_on", lookup_expr="lte", label=_("Due until"), widget=DateInput())
    provider = django_filters.CharFilter(method="by_provider", label=_("Provider or service"), max_length=100)
    least = DollarsFilter(field_name="amount_cents", lookup_expr="gte", label=_("At least"))
    most = DollarsFilter(field_name="amount_cents", lookup_expr="lte", label=_("At most"))

    class Meta:
        model = Bill
        fields: list[str] = []

    def __init__(self, data: Any, *, scope: Scope) -> None:
        super().__init__(data, queryset=Bill.objects.visible_to(scope))
        self.scope = scope
        people = Member.objects.visible_to(scope).order_by("-is_primary_holder", "birth_date", "pk")
        self.form.fields["person"].queryset = people
        self.form.fields["person"].label_from_instance = lambda member: member.shown_name

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return any(self.form.data.get(name) for name in self.filters)

    def by_state(self, bills: BillQuerySet, _name: str, state: str) -> BillQuerySet:
        """Narrow to bills in this state."""
        today: dt.date = timezone.localdate()
        if state == "void":
            return bills.filter(voided_at__isnull=False)
        bills = bills.filter(voided_at__isnull=True)
        if state == "paid":
            return bills.filter(receivable__balance_cents__lte=0)
        bills = bills.filter(receivable__balance_cents__gt=0, receivable__matures_on__isnull=False)
        if state == "under_review":
            return bills.filter(held_since__isnull=False)
        bills = bills.filter(held_since__isnull=True)
        if state == "on_plan":
            return bills.filter(on_plan_since__isnull=False)
        if state == "past_due":
            bills = bills.filter(on_plan_since__isnull=True)
            return bills.filter(due_on__lt=first_due_in_time(today))
        if state == "processing":
            return bills.filter(allocations__payment__status__in=IN_FLIGHT).distinct()
        return bills

    def by_provider(self, bills: BillQuerySet, _name: str, words: str) -> BillQuerySet:
        """Narrow to bills whose provider or service has these words: never by what the viewer may not see."""
        found = Q(provider_name__icontains=words) | Q(title__icontains=words)
        shared = Q(member_id__in=self.scope.confidential_ids - self.scope.member_ids, shared_at__isnull=False)
        return bills.filter(found, Q(member_id__in=self.scope.clinical_ids) | shared)
