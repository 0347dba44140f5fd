"""Autopay and a charge of it for a notice to be about: of Alice's own bill, over $185.00."""

from django.utils import timezone

from accounts.models import User
from notifications.kinds import Kind
from notifications.news.autopay import TRUE_OF
from payments.models import AutopayCharge, AutopayConsent, AutopayEnrollment, PaymentMethod
from tests.conftest import Cast
from tests.factories import make_bill


def subject_of(cast: Cast, kind: Kind, reader: User) -> str:
    """Something of which a kind of notice about autopay is true."""
    enrollment = _enrollment(cast, kind, reader)
    if kind.name in ("autopay_enrolled", "autopay_terms"):
        consent = AutopayConsent.objects.create(
            enrollment=enrollment, text="words that were agreed to", version="1", language="en",
            accepted_at=timezone.now(), address="192.0.2.7", user_agent="tests",
        )  # fmt: skip
        return f"consent:{consent.pk}"
    if kind.true_in is None:
        return f"autopay:{enrollment.pk}"
    bill = make_bill(cast.alice)
    charge = AutopayCharge.objects.create(
        enrollment=enrollment, household=bill.household, bill=bill, amount_cents=18_500, due_on=bill.due_on,
        charge_on=bill.due_on, status=min(kind.true_in),
    )  # fmt: skip
    return f"charge:{charge.pk}"


def _enrollment(cast: Cast, kind: Kind, reader: User) -> AutopayEnrollment:
    status = min(TRUE_OF.get(kind.name, {"active"}))
    standing = AutopayEnrollment.objects.in_force().filter(user=reader)
    if standing.update(status=status, paused_until=timezone.localdate() if status == "paused" else None):
        return standing.get()
    card = PaymentMethod.objects.create(user=reader, kind="card", stripe_id=f"pm_{kind.name}", last4="4242")
    return AutopayEnrollment.objects.create(
        user=reader, household=cast.household, covers="medical", method=card, status=status,
        paused_until=timezone.localdate() if status == "paused" else None,
    )  # fmt: skip
