"""Autopay in tests: methods that can be charged, enrolments under consent, announced charges."""

import datetime as dt
import itertools

from django.utils import timezone

from accounts.models import Member, User
from accounts.visibility import scope_of
from payments.autopay import enrolling, listing
from payments.autopay.terms import Covers, Subject, Terms
from payments.mandates import Acceptance
from payments.models import AutopayCharge, AutopayEnrollment, Mandate, MethodSetup, PaymentMethod
from tests.factories import make_bill, make_coverage

AGREED = Acceptance(address="192.0.2.7", user_agent="Mozilla/5.0 (tests)", language="en")
_serial = itertools.count(1)


def in_days(days: int) -> dt.date:
    """So many days from today."""
    return timezone.localdate() + dt.timedelta(days=days)


def make_card(member: Member, **fields: object) -> PaymentMethod:
    """A saved card that is good for years."""
    given = {"kind": "card", "brand": "visa", "last4": "4242", "expires_month": 4, "expires_year": 2031}
    return PaymentMethod.objects.create(user=member.user, stripe_id=f"pm_auto_{next(_serial)}", **(given | fields))


def make_account(member: Member, *, has_mandate: bool = True, **fields: object) -> PaymentMethod:
    """A verified bank account, with its mandate."""
    given = {"kind": "us_bank_account", "bank_name": "Test Bank", "last4": "6789"}
    method = PaymentMethod.objects.create(user=member.user, stripe_id=f"pm_auto_{next(_serial)}", **(given | fields))
    if has_mandate:
        setup = MethodSetup.objects.create(
            user=member.user, confirmation_token="t", kind="us_bank_account", last4="6789", method=method
        )
        Mandate.objects.create(
            user=member.user, method=method, setup=setup, last4="6789", text="words", version="1", language="en",
            accepted_at=timezone.now(), address="192.0.2.7", user_agent="tests",
        )  # fmt: skip
    return method


def make_terms(member: Member, *people: Member, method: PaymentMethod | None = None, **fields: object) -> Terms:
    """Medical bills of these people, by a card on the due date."""
    given: dict[str, object] = {"subject": Subject(covers=Covers.MEDICAL), "members": people or (member,)}
    return Terms(method=method or make_card(member), **(given | fields))  # type: ignore[arg-type]


def premium_terms(member: Member, **fields: object) -> Terms:
    """The premiums of a new coverage of the member's."""
    coverage = make_coverage(member, kind=str(fields.pop("kind", "family")))
    subject = Subject(covers=Covers.PREMIUM, coverage=coverage)
    return make_terms(member, subject=subject, **({"members": ()} | fields))


def enrolled(member: Member, wanted: Terms | None = None) -> AutopayEnrollment:
    """Autopay of the member's, turned on."""
    user = member.user
    assert user is not None
    return enrolling.enrol(user, wanted or make_terms(member), AGREED)


def announced(enrollment: AutopayEnrollment, member: Member, *, days: int = 12, **fields: object) -> AutopayCharge:
    """A charge of a new bill of a member's, as the run announces it."""
    bill = make_bill(member, due_on=in_days(days))
    given = {"amount_cents": bill.amount_cents, "due_on": bill.due_on, "charge_on": bill.due_on}
    return AutopayCharge.objects.create(
        enrollment=enrollment, household=bill.household, bill=bill, method=enrollment.method, **(given | fields)
    )


def stands(charge: AutopayCharge) -> tuple[str, str]:
    """The state and the code of a charge in the database."""
    found = AutopayCharge.objects.get(pk=charge.pk)
    return found.status, found.code


def keys(user: User) -> list[str]:
    """What the user could have paid by autopay."""
    return [subject.key for subject in listing.subjects(scope_of(user))]
