"""The demo's payment plans: Alice's is on track, and Charlie missed a payment of his."""

import datetime as dt

from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from bills.models import Bill
from notifications.demo import history
from notifications.demo.care import Service, Visit
from notifications.demo.people import People
from payments.mandates import Acceptance
from payments.models import PaymentPlan, PlanBill
from payments.plans import agreeing, watching
from payments.plans.agreeing import Signing
from payments.plans.terms import Choice

ACCEPTANCE = Acceptance(address="127.0.0.1", user_agent="Demo", language="en")
VISITS = (
    Visit(
        id="hospital-stay", who="alice", title="Hospital stay", provider="Oakridge Medical Center", days_ago=110,
        due_in=-60, kind="institutional",
        services=(Service(name="Hospital stay, one night", billed=412_000, discount=188_000, coinsurance=60_000),),
    ),
    Visit(
        id="emergency-visit", who="charlie", title="Emergency visit", provider="Willamette General Hospital",
        days_ago=100, due_in=-55, kind="institutional",
        services=(Service(name="Emergency visit", billed=198_000, discount=96_000, coinsurance=36_000),),
    ),
)  # fmt: skip


def make(cast: People, *, today: dt.date) -> None:
    """Both plans, each once, as they were signed weeks ago; and where they stand today."""
    first_due = today - dt.timedelta(days=21)
    _plan(cast.alice, "hospital-stay", Choice(day=first_due.day, count=6), signed_on=today - dt.timedelta(days=50))
    bill = Bill.objects.select_related("receivable", "household").get(source="demo", source_id="hospital-stay")
    if bill.balance_cents == bill.amount_cents:
        history.pay([history.Paid(bill, cast.alice, on=today - dt.timedelta(days=22), cents=10_000)])
    missed = today - dt.timedelta(days=12)
    _plan(cast.charlie, "emergency-visit", Choice(day=missed.day, count=12), signed_on=today - dt.timedelta(days=40))
    watching.run(today)


def _plan(member: Member, source_id: str, choice: Choice, *, signed_on: dt.date) -> None:
    bill, user = Bill.objects.get(source="demo", source_id=source_id), member.user
    if user is None or PlanBill.objects.filter(bill=bill).exists():
        return
    at = timezone.make_aware(dt.datetime.combine(signed_on, dt.time(12)))
    scope = scope_of(user)
    read = agreeing.draft(scope, user, [bill.number], choice, at=at)
    signing = Signing(read.party.name, read.digest, ACCEPTANCE)
    plan = agreeing.accept(scope, user, [bill.number], choice, signing, at=at)
    PaymentPlan.objects.filter(pk=plan.pk).update(created_at=at)
