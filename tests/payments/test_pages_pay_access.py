"""Who may take the steps of paying, how often, and from where."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Delegate
from bills.models import Bill
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_delegate
from tests.payments.pages import amounts, chosen, confirmed, drafted, signed_in, text_of
from tests.payments.paying import charges, make_bill
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast, provider: Server, settings: Settings) -> Bill:
    """A medical bill of Maya's over $185.00, and patience with a provider that shares its machine with other tests."""
    settings.STRIPE_TIMEOUT_SECONDS = 8.0
    return make_bill(real_cast.maya, 18_500)


def test_only_the_pages_with_a_card_form_may_load_stripe(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """M03: the policy of every other page names no other host."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment)
    policies = {
        path: alice.get(path)["Content-Security-Policy"]
        for path in ("/pay/", f"/pay/{payment.number}/review/", "/payments/", f"/pay/{payment.number}/method/")
    }
    allowed = policies.pop(f"/pay/{payment.number}/method/")
    assert "js.stripe.com" in allowed
    assert not [policy for policy in policies.values() if "stripe" in policy]


@pytest.mark.parametrize("step", ["method", "review"])
def test_a_right_that_ends_between_the_steps_ends_the_draft(cast: Cast, step: str) -> None:
    """F31, F17: a delegate whose grant ends pays no more, and reads no more of the bill."""
    bill = make_bill(cast.maya, 18_500)
    helper = make_delegate(cast.maya, "helper@example.com", "full")
    Delegate.objects.create(member=cast.bob, user=helper, grant="full")
    client = Client()
    client.force_login(helper)
    payment = drafted(client, {bill: "50.00"})
    Delegate.objects.filter(member=cast.maya).update(ended_at=timezone.now())
    for ask in (client.get, client.post):
        assert ask(f"/pay/{payment.number}/{step}/")["Location"] == "/pay/"
    assert "can no longer be paid" in text_of(client.get("/pay/"))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.DRAFT


@pytest.mark.parametrize(
    "address", ["/pay/?bill=%00", "/pay/?bill=7F3K%002201", "/payments/?after=%00", "/pay/?bill=" + "A" * 2000]
)
def test_no_address_makes_the_portal_stumble(cast: Cast, address: str) -> None:
    """I13: NUL and overlong numbers are not there."""
    assert signed_in(cast.alice).get(address).status_code == 404


@pytest.mark.parametrize("step", ["method", "review", "authenticate"])
def test_the_steps_ask_for_sign_in_and_are_the_payers_own(
    real_cast: Cast, provider: Server, bill: Bill, step: str
) -> None:
    """F01: a stranger and the same household's other users get 404, for a draft and after it."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    address = f"/pay/{payment.number}/{step}/"
    assert Client().get(address)["Location"].startswith("/accounts/login/")
    for stranger in (real_cast.charlie, real_cast.bob):
        for ask in (signed_in(stranger).get, signed_in(stranger).post):
            assert ask(address).status_code == 404
    chosen(alice, payment)
    confirmed(alice, payment)
    assert signed_in(real_cast.charlie).get(address).status_code == 404


def test_charlie_and_bob_are_told_of_no_bill_that_is_not_theirs(cast: Cast) -> None:
    """F01, F05: 404 for a bill's number; Bob's own list holds his alone."""
    hers, his = make_bill(cast.maya, 18_500), make_bill(cast.bob, 4_400)
    assert signed_in(cast.charlie).get(f"/pay/?bill={hers.number}").status_code == 404
    assert signed_in(cast.bob).get(f"/pay/?bill={hers.number}").status_code == 404
    assert signed_in(cast.charlie).post("/pay/", {"group": f"medical-{cast.household.pk}"}).status_code == 422
    listed = signed_in(cast.bob).get("/pay/").content.decode()
    assert his.number in listed
    assert hers.number not in listed


def test_after_ten_failed_cards_an_hour_no_more_are_sent(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """G08: a tester of stolen cards is stopped; the message says when and how to go on."""
    alice = signed_in(real_cast.alice)
    for _ in range(10):
        chosen(alice, payment := drafted(alice, {bill: "50.00"}), "pm_card_chargeDeclined")
        confirmed(alice, payment)
    chosen(alice, payment := drafted(alice, {bill: "50.00"}))
    refused = confirmed(alice, payment)
    assert refused.status_code == 422
    assert "many tries to pay" in text_of(refused)
    assert charges() == []


def test_the_forms_are_guarded_against_other_sites(cast: Cast) -> None:
    """H19: every post needs its token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user)
    bill = make_bill(cast.maya, 18_500)
    assert amounts(client, {bill: "50.00"}).status_code == 403
