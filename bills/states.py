"""What state a bill is in: derived from what is owed, paid and on its way; never stored (DESIGN section 6)."""

import datetime as dt
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bills.banking_days import first_due_in_time
from ledger.money import format_usd


class State(models.TextChoices):
    """Where a bill stands."""

    OPEN = "open", gettext_lazy("Open")
    SCHEDULED = "scheduled", gettext_lazy("Scheduled")
    PROCESSING = "processing", gettext_lazy("Payment on its way")
    PARTIALLY_PAID = "partially_paid", gettext_lazy("Partly paid")
    PAID = "paid", gettext_lazy("Paid")
    PAST_DUE = "past_due", gettext_lazy("Past due")
    ON_PLAN = "on_plan", gettext_lazy("On a payment plan")
    UNDER_REVIEW = "under_review", gettext_lazy("Under review")
    VOID = "void", gettext_lazy("Void")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bill's state depends on; amounts in US cents."""

    balance_cents: int
    due_on: dt.date
    paid_cents: int = 0
    in_flight_cents: int = 0
    is_held: bool = False
    is_void: bool = False
    is_scheduled: bool = False
    is_on_plan: bool = False


def derive(standing: Standing, *, today: dt.date) -> State:
    """The state of a bill: the first that holds, from what ends a bill to what merely describes it."""
    if standing.is_void:
        return State.VOID
    if standing.balance_cents <= 0:
        return State.PAID
    if standing.is_held:
        return State.UNDER_REVIEW
    if standing.in_flight_cents >= standing.balance_cents:
        return State.PROCESSING
    if standing.is_on_plan:
        return State.ON_PLAN
    if standing.is_scheduled:
        return State.SCHEDULED
    if standing.due_on < first_due_in_time(today):
        return State.PAST_DUE
    return State.PARTIALLY_PAID if standing.paid_cents > 0 else State.OPEN


@dataclass(frozen=True, slots=True)
class Pill:
    """A state in a few words, and its tone: late, due, paid, or none."""

    text: str
    tone: str


def pill(state: State, *, due_on: dt.date, today: dt.date, due_text: str, in_flight_cents: int = 0) -> Pill:
    """What the pill beside an amount says. `due_text` is the due date as the reader writes it."""
    if state is State.PAST_DUE:
        days = (today - due_on).days
        return Pill(ngettext("%(days)d day past due", "%(days)d days past due", days) % {"days": days}, "late")
    if state in (State.OPEN, State.PARTIALLY_PAID):
        if in_flight_cents:
            return Pill(_("%(amount)s on its way") % {"amount": format_usd(in_flight_cents)}, "")
        words = _("Partly paid, due %(day)s") if state is State.PARTIALLY_PAID else _("Due %(day)s")
        return Pill(words % {"day": due_text}, "due")
    return Pill(str(state.label), "paid" if state is State.PAID else "")
