"""Adding, replacing, labelling and blocking of saved methods, through the pages."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Event
from payments import adding, blocking, checkout, expiry, methods
from payments.checkout import NotADraft
from payments.models import MethodSetup, Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.adding import added, latest, posted, proved
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import make_bill, token
from tests.payments.test_pages_methods import make_card
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server


def test_who_has_not_proved_themselves_lately_is_asked_first(cast: Cast) -> None:
    """H16."""
    card = make_card(cast, last4="4242")
    for address in ("add/", f"{card.pk}/replace/", f"{card.pk}/share/"):
        answer = signed_in(cast.alice).get(f"/payment-methods/{address}")
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")


def test_a_card_is_added_with_its_label_and_is_the_default(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """The first one; nothing is charged."""
    alice = proved(real_cast.alice)
    assert added(alice, label="hsa", nickname="Health card") == "/payment-methods/"
    card = latest()
    assert (card.last4, card.label, card.nickname, card.is_default) == ("4242", "hsa", "Health card", True)
    assert card.consent_version == methods.CONSENT_VERSION and card.consented_at is not None
    page = text_of(alice.get("/payment-methods/"))
    assert "Visa ending in 4242" in page and "HSA" in page
    assert Payment.objects.count() == 0


def test_the_same_card_is_kept_once(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """A second adding of it finds the first."""
    alice = proved(real_cast.alice)
    added(alice)
    added(alice)
    assert PaymentMethod.objects.usable().count() == 1


def test_a_declined_card_is_not_kept_and_its_owner_reads_why(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """The setup fails; another can be typed at once."""
    alice = proved(real_cast.alice)
    assert added(alice, "pm_card_visa_chargeDeclined") == "/payment-methods/add/"
    assert "declined" in alice.get("/payment-methods/add/").content.decode()
    assert not PaymentMethod.objects.exists()


def test_the_banks_question_is_asked_and_its_answer_saves_the_card(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """3-D Secure while adding."""
    alice = proved(real_cast.alice)
    address = posted(alice, token("pm_card_authenticationRequired"))["Location"]
    page = alice.get(address)
    assert "Confirm with your bank" in text_of(page)
    setup = MethodSetup.objects.get()
    provider.post("authenticate", intent=setup.stripe_setup_intent_id, outcome="complete")
    assert alice.get(address)["Location"] == "/payment-methods/"
    assert latest().last4 == setup.last4


def test_a_lost_reply_is_asked_for_again_with_the_same_key(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """Unknown is not failed: one method in the end."""
    provider.post("settings", hang_seconds=2)
    provider.post("faults", match={"method": "POST", "path": "/v1/setup_intents$"}, effect="timeout_after", times=1)
    alice = proved(real_cast.alice)
    address = posted(alice, token("pm_card_visa"))["Location"]
    assert MethodSetup.objects.get().status == MethodSetup.Status.SUBMITTED
    assert adding.sweep(now=timezone.now() + dt.timedelta(minutes=2)) == 1
    assert alice.get(address)["Location"] == "/payment-methods/"
    assert PaymentMethod.objects.usable().count() == 1


def test_one_more_than_the_most_is_refused_with_what_to_do(cast: Cast) -> None:
    """The bound is named."""
    for number in range(methods.MAX_METHODS):
        make_card(cast, last4=f"{number:04}")
    page = proved(cast.alice).get("/payment-methods/add/")
    assert page.status_code == 422
    assert "You keep 10 payment methods" in text_of(page)
    assert b"data-element" not in page.content


def test_a_new_card_takes_the_old_ones_place(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """The default, the label, the name, what is scheduled."""
    alice = proved(real_cast.alice)
    added(alice, label="fsa", nickname="Work")
    old = latest()
    bill = make_bill(real_cast.maya, 9_000)
    planned = checkout.begin(scope_of(real_cast.alice.user), payer=real_cast.alice.user, amounts={bill.number: 9_000})
    checkout.choose(planned, method=old)
    Payment.objects.filter(pk=planned.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=9))
    assert "1 scheduled payment uses it" in text_of(alice.get("/payment-methods/"))
    added(alice, "pm_card_mastercard", at=f"{old.pk}/replace")
    new, planned = latest(), Payment.objects.get(pk=planned.pk)
    assert list(PaymentMethod.objects.usable()) == [new]
    assert (new.label, new.nickname, new.is_default) == ("fsa", "Work", True)
    assert (planned.method, planned.method_last4, planned.method_label) == (new, new.last4, "fsa")


def test_removal_calls_off_what_is_scheduled_and_says_so_before(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """What hangs on it."""
    alice = proved(real_cast.alice)
    added(alice)
    card = latest()
    bill = make_bill(real_cast.maya, 9_000)
    planned = checkout.begin(scope_of(real_cast.alice.user), payer=real_cast.alice.user, amounts={bill.number: 9_000})
    checkout.choose(planned, method=card)
    Payment.objects.filter(pk=planned.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=9))
    page = text_of(alice.get(f"/payment-methods/{card.pk}/remove/"))
    assert "$90.00" in page and planned.number in page
    alice.post(f"/payment-methods/{card.pk}/remove/")
    planned.refresh_from_db()
    assert (planned.status, planned.failure_code) == (PaymentStatus.CANCELED, "method_removed")


def test_a_blocked_method_is_shown_with_its_reason_and_neither_offered_nor_charged(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """D06: R02 is never retried."""
    alice = proved(real_cast.alice)
    added(alice)
    card = latest()
    bill = make_bill(real_cast.maya, 9_000)
    payment = checkout.begin(scope_of(real_cast.alice.user), payer=real_cast.alice.user, amounts={bill.number: 9_000})
    checkout.choose(payment, method=card)
    assert blocking.block(card, "R02")
    assert not blocking.block(card, "R02")
    assert "closed or cannot be found" in text_of(alice.get("/payment-methods/"))
    with pytest.raises(NotADraft):
        checkout.confirm(payment)
    assert "4242" not in text_of(alice.get(f"/pay/{payment.number}/method/")).partition("Summary")[0]
    assert Event.objects.filter(kind="method.blocked").count() == 1


def test_its_owner_is_told_30_and_7_days_before_a_card_expires_once_each(cast: Cast) -> None:
    """Ahead, and never twice."""
    card = make_card(cast, last4="4242", expires_month=4, expires_year=2027)
    days = [dt.date(2027, 3, 30), dt.date(2027, 3, 31), dt.date(2027, 4, 1), dt.date(2027, 4, 23), dt.date(2027, 4, 30)]
    assert [expiry.tell(day) for day in days] == [0, 1, 0, 1, 0]
    assert expiry.tell(dt.date(2027, 5, 1)) == 0
    told = Event.objects.filter(kind="method.expiring", subject=f"method:{card.pk}").order_by("pk")
    assert [event.data["days"] for event in told] == [30, 7]
