"""Autopay is turned on under consent that is kept, by whom may pay, with a method that may."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError
from django.utils import timezone

from activity.models import Event
from payments.autopay import consents, days, enrolling, terms
from payments.autopay.enrolling import AlreadyOn
from payments.autopay.terms import AutopayError, Covers, DayUnfit, MethodUnfit, NotYours, Subject
from payments.mandates import Acceptance
from payments.models import AutopayConsent, AutopayEnrollment, PaymentMethod, PaymentPlan
from payments.plans import policies
from tests.conftest import Cast
from tests.factories import make_coverage, make_delegate
from tests.payments.autopay.making import (
    AGREED,
    enrolled,
    keys,
    make_account,
    make_card,
    make_terms,
    premium_terms,
)

pytestmark = pytest.mark.django_db


def refused(cast: Cast, wanted: terms.Terms, error: type[AutopayError], words: str = ".") -> None:
    with pytest.raises(error, match=words):
        enrolling.enrol(cast.alice.user, wanted, AGREED)
    assert not AutopayEnrollment.objects.exists()


def test_what_is_agreed_to_is_kept_word_for_word_and_is_never_changed(cast: Cast) -> None:
    """D28; Reg E 12 CFR 1005.10(b): text, version, time, address, browser; past the model too."""
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya, method=make_account(cast.alice)))
    consent = AutopayConsent.objects.get(enrollment=enrollment)
    assert (consent.version, consent.address, consent.user_agent) == (consents.VERSION, "192.0.2.7", AGREED.user_agent)
    for words in ("Test Bank ending in 6789", "2 people", "3 business days", "tell your bank", "10 days before"):
        assert words in consent.text
    for name in ("Alice", "Maya", "Rivera", "Silver"):  # the copy goes by mail
        assert name not in consent.text
    with pytest.raises(InternalError), transaction.atomic():
        AutopayConsent.objects.update(text="other")
    with pytest.raises(InternalError), transaction.atomic():
        AutopayConsent.objects.all().delete()
    event = Event.objects.get(kind="autopay.enrolled")
    assert event.data["member_ids"] == [cast.alice.pk, cast.maya.pk]
    assert (event.owner_id, event.data["enrollment_id"]) == (cast.household.pk, enrollment.pk)


def test_the_words_are_those_of_the_language_that_was_read(cast: Cast) -> None:
    enrolling.enrol(cast.alice.user, make_terms(cast.alice), Acceptance("192.0.2.7", "", "es"))
    consent = AutopayConsent.objects.get()
    assert (consent.language, consent.user_agent) == ("es", "unknown")
    assert "autoriza" in consent.text


def test_it_is_on_once_for_each_thing(cast: Cast) -> None:
    """Whoever of those who may pay the coverage turned it on; in the database too."""
    wanted = premium_terms(cast.alice)
    enrolled(cast.alice, wanted)
    with pytest.raises(AlreadyOn):
        enrolling.enrol(cast.alice.user, wanted, AGREED)
    enrolled(cast.alice)
    with pytest.raises(AlreadyOn):
        enrolling.enrol(cast.alice.user, make_terms(cast.alice), AGREED)
    with pytest.raises(IntegrityError), transaction.atomic():
        AutopayEnrollment.objects.create(
            user=cast.alice.user, household=cast.household, covers="medical", method=wanted.method
        )


def test_only_who_may_pay_turns_it_on(cast: Cast) -> None:
    """F01, F27: a stranger's coverage, a confidential member's bills, a plan of another's."""
    card = make_card(cast.alice)
    theirs = Subject(covers=Covers.PREMIUM, coverage=make_coverage(cast.charlie))
    refused(cast, make_terms(cast.alice, method=card, subject=theirs), NotYours)
    refused(cast, make_terms(cast.alice, cast.charlie, method=card), NotYours)
    refused(cast, replace(make_terms(cast.alice, method=card), members=()), AutopayError, "at least one person")
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    refused(cast, make_terms(cast.alice, cast.bob, method=card), NotYours)
    plan = PaymentPlan.objects.create(
        number="P-1", household=cast.household, owner=cast.bob.user, day_of_month=5, policy=policies.for_state("CA")
    )
    refused(cast, make_terms(cast.alice, method=card, subject=Subject(covers=Covers.PLAN, plan=plan)), NotYours)
    ended = make_coverage(cast.alice, start_on=dt.date(2025, 1, 1), end_on=dt.date(2025, 12, 31))
    refused(cast, make_terms(cast.alice, method=card, subject=Subject(covers=Covers.PREMIUM, coverage=ended)), NotYours)


def test_a_delegate_may_where_the_grant_is_to_pay(cast: Cast) -> None:
    """Not one who may only look; and bills of two households are never one charge."""
    looks = make_delegate(cast.charlie, "looks@example.com", "view")
    assert keys(looks) == []
    pays = make_delegate(cast.charlie, "pays@example.com", "pay_only")
    assert keys(pays) == ["medical"]
    pays.members.add(cast.bob)
    card = make_card(cast.bob)
    with pytest.raises(AutopayError, match="one household"):
        enrolling.enrol(pays, make_terms(cast.bob, cast.bob, cast.charlie, method=card), AGREED)


def test_a_method_must_be_the_viewers_and_able_to_pay(cast: Cast) -> None:
    """A07, F11: another's, removed, stopped, unverified, expired, without mandate; the second one too."""
    for method in (
        make_card(cast.bob),
        make_card(cast.alice, removed_at=timezone.now()),
        make_card(cast.alice, blocked_at=timezone.now(), blocked_code="R02"),
        make_account(cast.alice, state="pending"),
        make_card(cast.alice, expires_year=2020),
        make_account(cast.alice, has_mandate=False),
    ):
        refused(cast, make_terms(cast.alice, method=method), MethodUnfit)
        refused(cast, make_terms(cast.alice, fallback=method), MethodUnfit)
    card = make_card(cast.alice)
    refused(cast, make_terms(cast.alice, method=card, fallback=card), MethodUnfit)


def test_a_premium_is_never_paid_from_an_fsa_and_from_an_hsa_only_under_an_exception(cast: Cast) -> None:
    """RULES 2: as the main method and as the second one; an exception of another kind of coverage does not do."""
    fsa, hsa = make_card(cast.alice, label="fsa"), make_card(cast.alice, label="hsa")
    refused(cast, premium_terms(cast.alice, method=fsa), MethodUnfit, "FSA")
    refused(cast, premium_terms(cast.alice, fallback=fsa), MethodUnfit, "FSA")
    refused(cast, premium_terms(cast.alice, method=hsa), MethodUnfit, "only in a few cases")
    refused(cast, premium_terms(cast.alice, method=hsa, attestation="cobra"), MethodUnfit)
    refused(cast, premium_terms(cast.alice, method=hsa, attestation="medicare_65"), MethodUnfit)
    refused(cast, premium_terms(cast.alice, method=hsa, attestation="cobra", kind="medigap"), MethodUnfit, "Choose")
    kept = enrolled(cast.alice, premium_terms(cast.alice, method=hsa, attestation="unemployment"))
    assert kept.attestation == "unemployment"
    assert enrolled(cast.alice, make_terms(cast.alice, method=fsa)).method == fsa  # medical bills


def test_a_day_that_no_rule_knows_is_refused(cast: Cast) -> None:
    """By the form's rules and by the database's."""
    for wrong in (
        {"day_rule": "days_before"},
        {"day_rule": "days_before", "days_before": 21},
        {"day_rule": "day_of_month", "day_of_month": 32},
        {"day_rule": "whenever"},
    ):
        refused(cast, make_terms(cast.alice, **wrong), DayUnfit)
    refused(cast, make_terms(cast.alice, limit_cents=0), AutopayError, "above 0")


@pytest.mark.parametrize(
    ("due_on", "rule", "number", "is_bank", "day"),
    [
        ("2026-12-01", "on_due", None, False, "2026-12-01"),
        ("2026-12-01", "days_before", 5, False, "2026-11-26"),
        ("2026-12-01", "days_before", 5, True, "2026-11-27"),  # Thanksgiving
        ("2026-12-01", "day_of_month", 15, False, "2026-11-15"),
        ("2026-12-20", "day_of_month", 15, False, "2026-12-15"),
        ("2027-03-01", "day_of_month", 31, False, "2027-02-28"),
        ("2028-03-01", "day_of_month", 30, False, "2028-02-29"),  # a leap day
        ("2027-02-28", "day_of_month", 31, False, "2027-02-28"),
        ("2027-01-05", "day_of_month", 31, False, "2026-12-31"),
        ("2027-01-01", "on_due", None, True, "2027-01-04"),  # New Year on a Friday: the next Monday
        ("2026-07-03", "on_due", None, True, "2026-07-03"),  # July 4 on a Saturday: banks are open the Friday before
    ],
)
def test_the_day_of_a_charge(due_on: str, rule: str, number: int | None, is_bank: bool, day: str) -> None:  # noqa: FBT001
    """RULES 3 and 11: 29 to 31, holidays, and never after the due date but for closed banks."""
    found = days.charge_day(
        dt.date.fromisoformat(due_on), rule=rule, days_before=number, day_of_month=number, is_bank_debit=is_bank
    )
    assert found == dt.date.fromisoformat(day)


def test_a_shared_card_pays_while_its_owner_shares_it(cast: Cast) -> None:
    """F11."""
    card = make_card(cast.alice)
    with pytest.raises(MethodUnfit):
        enrolling.enrol(cast.bob.user, make_terms(cast.bob, method=card), AGREED)
    card.shares.create(member=cast.bob)
    assert enrolling.enrol(cast.bob.user, make_terms(cast.bob, method=card), AGREED).method == card
    assert PaymentMethod.objects.visible_to(cast.bob.user).count() == 1
