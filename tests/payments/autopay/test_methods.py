"""A method that autopay uses is not just taken away, and one that was declined for good is not chosen again."""

import datetime as dt

import pytest

from activity.models import Event
from bills.banking_days import next_banking_day
from payments import methods, replacing
from payments.autopay import terms
from payments.methods import MethodInUse
from payments.models import AutopayEnrollment
from tests.conftest import Cast
from tests.payments.autopay.making import announced, enrolled, in_days, make_account, make_card, make_terms
from tests.payments.pages import signed_in, text_of

pytestmark = pytest.mark.django_db


def test_another_is_asked_for_before_it_is_removed(cast: Cast) -> None:
    """Turned off, it can go; what another pays with a shared card is not its owner's to know (F11)."""
    enrollment = enrolled(cast.alice)
    card = enrollment.method
    assert "Autopay pays with it." in text_of(signed_in(cast.alice).get(f"/payment-methods/{card.pk}/remove/"))
    with pytest.raises(MethodInUse, match="Autopay pays with it"):
        methods.remove(card, actor="user:1")
    card.refresh_from_db()
    assert card.removed_at is None
    AutopayEnrollment.objects.update(status="ended")
    assert not methods.pays_autopay(card)
    card.shares.create(member=cast.bob)
    enrolled(cast.bob, make_terms(cast.bob, method=card))
    assert not methods.pays_autopay(card)


def test_a_replaced_card_hands_autopay_over(cast: Cast) -> None:
    """What is announced follows; what was sent stays what it was."""
    enrollment = enrolled(cast.alice, make_terms(cast.alice, fallback=make_card(cast.alice)))
    charge, sent = announced(enrollment, cast.alice), announced(enrollment, cast.alice, status="sent")
    new, other = make_card(cast.alice, last4="1881"), make_card(cast.alice, last4="1882")
    old = enrollment.method
    replacing.replace(old, new)
    assert not Event.objects.filter(kind="autopay.changed").exists()
    replacing.replace(enrollment.fallback, other)
    for each in (enrollment, charge, sent):
        each.refresh_from_db()
    assert (enrollment.method, enrollment.fallback) == (new, other)
    assert (charge.method, sent.method) == (new, old)


def test_an_account_in_the_place_of_a_card_is_debited_on_a_banking_day(cast: Cast) -> None:
    """RULES 11; the day that moves is told."""
    enrollment = enrolled(cast.alice)
    saturday = in_days(3) + dt.timedelta(days=(5 - in_days(3).weekday()) % 7)
    charge = announced(enrollment, cast.alice, charge_on=saturday)
    replacing.replace(enrollment.method, make_account(cast.alice))
    charge.refresh_from_db()
    assert charge.charge_on == next_banking_day(saturday) != saturday
    assert Event.objects.get(kind="autopay.changed").data["charge_id"] == charge.pk


def test_one_that_was_declined_for_good_is_not_chosen_again(cast: Cast) -> None:
    """The run would not charge it: autopay would stop again at once."""
    card = make_card(cast.alice)
    announced(
        enrolled(cast.alice, make_terms(cast.alice, method=card)), cast.alice, status="failed", code="stolen_card"
    )
    assert "declined automatic payments" in terms.why_not_ready(card)
    assert terms.why_not_ready(make_card(cast.alice)) == ""
