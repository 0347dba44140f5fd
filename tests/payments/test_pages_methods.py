"""Saved cards: the list, the default, a name, removal."""

import pytest
from django.test import Client

from payments.models import PaymentMethod
from tests.conftest import Cast
from tests.payments.pages import signed_in, text_of
from tests.provider import provider, provider_process  # noqa: F401


@pytest.fixture
def card(cast: Cast) -> PaymentMethod:
    """Alice's default card."""
    return make_card(cast, last4="4242", is_default=True)


def make_card(cast: Cast, **fields: object) -> PaymentMethod:
    """A saved card of Alice's."""
    count = PaymentMethod.objects.count()
    given = {"brand": "visa", "expires_month": 4, "expires_year": 2029, "stripe_id": f"pm_test_{count}"}
    return PaymentMethod.objects.create(user=cast.alice.user, kind="card", **(given | fields))


def test_the_list_shows_ones_own_cards_and_nobody_elses(cast: Cast, card: PaymentMethod) -> None:
    """F11."""
    assert "Visa ending in 4242" in text_of(signed_in(cast.alice).get("/payment-methods/"))
    for other in (cast.bob, cast.charlie):
        page = text_of(signed_in(other).get("/payment-methods/"))
        assert "4242" not in page
        assert "No payment methods yet" in page


def test_a_card_can_be_made_the_default(cast: Cast, card: PaymentMethod) -> None:
    """One default at a time."""
    second = make_card(cast, last4="1881")
    signed_in(cast.alice).post(f"/payment-methods/{second.pk}/default/")
    assert list(PaymentMethod.objects.filter(is_default=True)) == [second]


def test_a_name_is_kept_and_shown_as_text(cast: Cast, card: PaymentMethod) -> None:
    """I14: whatever is typed is text."""
    alice = signed_in(cast.alice)
    alice.post(f"/payment-methods/{card.pk}/name/", {"nickname": "<script>alert(1)</script>"})
    page = alice.get("/payment-methods/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    alice.post(f"/payment-methods/{card.pk}/name/", {"nickname": "x" * 61})
    card.refresh_from_db()
    assert card.nickname == "<script>alert(1)</script>"


def test_removal_is_asked_first_and_the_next_card_becomes_the_default(
    real_cast: Cast,
    provider: object,  # noqa: F811
) -> None:
    """A removed card is offered nowhere; a repeat finds nothing."""
    card = make_card(real_cast, last4="4242", is_default=True)
    second = make_card(real_cast, last4="1881")
    alice = signed_in(real_cast.alice)
    assert "Remove Visa ending in 4242?" in text_of(alice.get(f"/payment-methods/{card.pk}/remove/"))
    assert PaymentMethod.objects.usable().count() == 2
    alice.post(f"/payment-methods/{card.pk}/remove/")
    assert list(PaymentMethod.objects.usable()) == [second]
    assert PaymentMethod.objects.get(is_default=True) == second
    assert alice.post(f"/payment-methods/{card.pk}/remove/").status_code == 404


def test_an_expired_card_is_shown_as_such_and_cannot_be_the_default(cast: Cast) -> None:
    """Told before it is declined."""
    make_card(cast, last4="4242", expires_year=2024)
    page = text_of(signed_in(cast.alice).get("/payment-methods/"))
    assert "Expired 04/24" in page
    assert "Make default" not in page


@pytest.mark.parametrize("action", ["name", "default", "remove", "label"])
def test_another_persons_card_is_not_there(cast: Cast, card: PaymentMethod, action: str) -> None:
    """F01, F02: 404 by every address and method; nothing changes."""
    address = f"/payment-methods/{card.pk}/{action}/"
    for other in (cast.bob, cast.charlie):
        assert signed_in(other).post(address, {"nickname": "mine"}).status_code == 404
    assert Client().post(address)["Location"].startswith("/accounts/login/")
    card.refresh_from_db()
    assert (card.nickname, card.removed_at, card.is_default) == ("", None, True)
