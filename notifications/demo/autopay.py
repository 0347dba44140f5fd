"""The demo's autopay: premiums that are announced, a medical bill that asks, a charge that failed and is tried again.

Where no provider answered there is no saved card, and so no autopay.
"""

import datetime as dt

from django.utils import timezone

from accounts.models import Coverage, Member
from bills.models import Bill
from notifications.demo.people import Covered, People
from payments.autopay import announcing, enrolling
from payments.autopay.terms import Covers, Subject, Terms
from payments.mandates import Acceptance
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod

AGREED = Acceptance(address="127.0.0.1", user_agent="demo", language="en")
ASKS_ABOVE_CENTS = 10_000
RETRY_DAYS = 3


def seed(cast: People, covered: Covered) -> None:
    """Turn it on for Alice and Charlie, and announce what is to come. A repeat changes nothing."""
    alice = _premiums(cast.alice, covered.family)
    if alice is not None and enrolling.standing(Subject(covers=Covers.MEDICAL), alice.user) is None:
        medical = Terms(
            subject=Subject(covers=Covers.MEDICAL), method=alice.method, limit_cents=ASKS_ABOVE_CENTS,
            members=(cast.alice, cast.maya),
        )  # fmt: skip
        enrolling.enrol(alice.user, medical, AGREED)
    charlie = _premiums(cast.charlie, covered.medicare)
    if charlie is not None:
        _failed(charlie)
    announcing.run()


def _premiums(member: Member, coverage: Coverage) -> AutopayEnrollment | None:
    user = member.user
    card = PaymentMethod.objects.filter(user=user).ready().order_by("pk").first()
    if user is None or card is None:
        return None
    subject = Subject(covers=Covers.PREMIUM, coverage=coverage)
    return enrolling.standing(subject, user) or enrolling.enrol(user, Terms(subject=subject, method=card), AGREED)


def _failed(enrollment: AutopayEnrollment) -> None:
    """The present month's premium was declined for want of money this morning, and is tried again."""
    today = timezone.localdate()
    owed = Bill.objects.filter(coverage=enrollment.coverage, receivable__balance_cents__gt=0, due_on__lte=today)
    bill = owed.select_related("receivable").order_by("-due_on").first()
    if bill is None or bill.autopay_charges.exists():
        return
    common = {
        "enrollment": enrollment, "household": bill.household, "bill": bill, "amount_cents": bill.balance_cents,
        "due_on": bill.due_on, "method": enrollment.method,
    }  # fmt: skip
    AutopayCharge.objects.create(**common, charge_on=today, status="failed", code="insufficient_funds")
    AutopayCharge.objects.create(**common, charge_on=today + dt.timedelta(days=RETRY_DAYS), attempt=2)
