"""One record of every kind for a member, and what of all that a viewer sees."""

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import Coverage, Member, Plan
from bills import issuing
from bills.models import Accumulator, Bill, Claim
from notifications.models import Notification
from payments.models import Payment, PaymentAllocation, PaymentMethod, Refund

AMOUNTS = (Member, Bill, Coverage, Payment, PaymentAllocation, Refund)  # what a pay-only delegate sees of a member
CLINICAL = (Claim, Accumulator)
OWN = (PaymentMethod, Notification)
ISSUED, DUE = dt.date(2026, 10, 1), dt.date(2026, 11, 1)


class Records:
    """Every kind of record of each member, by the member's first name."""

    def __init__(self, *members: Member) -> None:
        self.names: dict[tuple[type, int], str] = {}
        self.bills: dict[str, Bill] = {}
        plan = Plan.objects.create(name="Silver 70", year=2026)
        for member in members:
            self._make(member, plan)

    def _make(self, member: Member, plan: Plan) -> None:
        name = member.first_name
        bill = self.bills[name] = issuing.issue(
            member=member, kind=Bill.Kind.MEDICAL, amount_cents=10_000, title="Office visit", issued_on=ISSUED,
            due_on=DUE, source="test", source_id=f"bill-{name}",
        )  # fmt: skip
        payment = Payment.objects.create(
            number=f"PAY-{name}", household=member.household, kind=bill.kind, channel=Payment.Channel.WEB,
            status="succeeded", amount_cents=500, payer=member.user,
        )  # fmt: skip
        made: list[Any] = [
            member,
            bill,
            payment,
            PaymentAllocation.objects.create(payment=payment, bill=bill, amount_cents=500),
            Refund.objects.create(payment=payment, amount_cents=100, reason="test"),
            Coverage.objects.create(
                plan=plan, kind=Coverage.Kind.FAMILY, household=member.household, subscriber=member, start_on=ISSUED,
                premium_cents=53_076,
            ),
            Claim.objects.create(
                number=f"CLM-{name}", member=member, household=member.household, kind="professional",
                service_on=ISSUED, source="test", source_id=f"claim-{name}", source_version="1",
            ),
            Accumulator.objects.create(member=member, year=2026, deductible_cents=100),
        ]  # fmt: skip
        if member.user is not None:
            made.append(PaymentMethod.objects.create(user=member.user, kind="card", stripe_id=f"pm_{name}"))
            made.append(
                Notification.objects.create(dedupe_key=f"n-{name}", user=member.user, kind="test", subject="test:1")
            )
        self.names |= {(type(record), record.pk): name for record in made}

    def by_owner(self) -> dict[str, dict[str, int]]:
        """Model name, owner's first name, primary key."""
        found: dict[str, dict[str, int]] = {}
        for (model, pk), name in self.names.items():
            found.setdefault(model.__name__, {})[name] = pk
        return found

    def seen_by(self, viewer: Any) -> dict[str, set[str]]:
        """Whose records the viewer sees, by model."""
        return {
            model.__name__: {
                self.names[model, pk] for pk in model.objects.visible_to(viewer).values_list("pk", flat=True)
            }
            for model in (*AMOUNTS, *CLINICAL, *OWN)
        }


def expected(*, amounts: str = "", clinical: str | None = None, own: str = "") -> dict[str, set[str]]:
    """What `seen_by` should give: names with blanks between; clinical as amounts unless said otherwise."""
    clinical = amounts if clinical is None else clinical
    return (
        {model.__name__: set(amounts.split()) for model in AMOUNTS}
        | {model.__name__: set(clinical.split()) for model in CLINICAL}
        | {model.__name__: set(own.split()) for model in OWN}
    )


def make_guest_payment(bill: Bill) -> Payment:
    """A payment by somebody without a sign-in."""
    payment = Payment.objects.create(
        number=f"GUEST-{bill.pk}", household=bill.household, kind=bill.kind, channel=Payment.Channel.GUEST,
        status="succeeded", amount_cents=100, created_at=timezone.now(),
    )  # fmt: skip
    PaymentAllocation.objects.create(payment=payment, bill=bill, amount_cents=100)
    return payment
