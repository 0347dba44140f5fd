"""Whom what happens to autopay concerns: its member alone, whoever else sees the bills or owns the card."""

from collections.abc import Iterator

from activity.models import Event
from notifications.audience import Told
from payments.models import AutopayCharge, AutopayConsent, AutopayEnrollment


def its_member(event: Event) -> Iterator[Told]:
    """Whose autopay it is, once for each event. Needs `enrollment_id`."""
    enrollment = AutopayEnrollment.objects.filter(pk=event.data["enrollment_id"]).first()
    if enrollment is not None:
        yield Told(enrollment.user_id, f"autopay:{enrollment.pk}", f"event:{event.pk}")


def who_agreed(event: Event) -> Iterator[Told]:
    """Who agreed to its words, once for each consent: the notice bears a copy. Needs `consent_id`."""
    consent = AutopayConsent.objects.filter(pk=event.data["consent_id"]).select_related("enrollment").first()
    if consent is not None:
        yield Told(consent.enrollment.user_id, f"consent:{consent.pk}", str(consent.pk))


def member_of_charge(event: Event) -> Iterator[Told]:
    """Whose autopay makes a charge, once for each event. Needs `charge_id`."""
    found = AutopayCharge.objects.filter(pk=event.data["charge_id"]).select_related("enrollment", "bill").first()
    if found is not None:
        member_id = found.bill.member_id if found.bill is not None else None
        yield Told(found.enrollment.user_id, f"charge:{found.pk}", f"event:{event.pk}", member_id)


def who_said_no(event: Event) -> Iterator[Told]:
    """As `member_of_charge`, where the answer to a question was no. Needs `charge_id` and `code`."""
    if event.data["code"] == "declined_by_member":
        yield from member_of_charge(event)
