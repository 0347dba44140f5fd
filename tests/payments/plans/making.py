"""Plans for tests: agreed to as a member does it, and moved through time."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from bills.models import Bill
from payments.mandates import Acceptance
from payments.models import Installment, PaymentMethod, PaymentPlan
from payments.plans import agreeing
from payments.plans.agreeing import Draft, Signing
from payments.plans.terms import Choice

ACCEPTANCE = Acceptance(address="203.0.113.7", user_agent="Firefox", language="en")


def choice_of(count: int | None = 4, *, day: int = 15, **options: int) -> Choice:
    """Four instalments on the 15th, unless said otherwise."""
    return Choice(day=day, count=count, **options)


def drafted(member: Member, bills: Sequence[Bill], choice: Choice | None = None) -> Draft:
    """What the member reads before signing."""
    assert member.user is not None
    return agreeing.draft(scope_of(member.user), member.user, [bill.number for bill in bills], choice or choice_of())


def signing_of(draft: Draft, name: str = "") -> Signing:
    """The reader's signature under it."""
    return Signing(name or draft.party.name, draft.digest, ACCEPTANCE)


def make_plan(
    member: Member, bills: Sequence[Bill], choice: Choice | None = None, *, method: PaymentMethod | None = None
) -> PaymentPlan:
    """A plan that the member read and signed."""
    assert member.user is not None
    chosen = choice or choice_of()
    signing = signing_of(drafted(member, bills, chosen))
    numbers = [bill.number for bill in bills]
    return agreeing.accept(scope_of(member.user), member.user, numbers, chosen, signing, method=method)


def amounts_of(plan: PaymentPlan) -> list[int]:
    """The instalments as they stand, US cents."""
    return list(Installment.objects.standing().filter(plan=plan).values_list("amount_cents", flat=True))


def move_back(plan: PaymentPlan, days: int) -> None:
    """Let so many days pass for a plan: every date of it lies that much earlier."""
    back = dt.timedelta(days=days)
    for line in Installment.objects.filter(plan=plan):
        Installment.objects.filter(pk=line.pk).update(due_on=line.due_on - back)
    fresh = PaymentPlan.objects.get(pk=plan.pk)
    dates = ("missed_since", "noticed_on", "paused_from", "paused_until", "cured_on", "reopened_on")
    moved = {name: value - back for name in dates if (value := getattr(fresh, name)) is not None}
    PaymentPlan.objects.filter(pk=plan.pk).update(created_at=fresh.created_at - back, **moved)
    plan.refresh_from_db()


def today() -> dt.date:
    """Today by the portal's clock."""
    day: dt.date = timezone.localdate()
    return day
