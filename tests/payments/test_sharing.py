"""A method is another member's to pay with only where its owner shares it on purpose (F11)."""

import datetime as dt

from django.utils import timezone

from accounts import confidentiality
from accounts.models import Member
from activity.models import Event
from payments import checkout, readiness, scheduling, sharing
from payments import tasks as payment_tasks
from payments.autopay import health
from payments.models import AutopayProblem, MethodShare, Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.adding import added, latest, proved
from tests.payments.autopay.making import enrolled, make_card, make_terms
from tests.payments.pages import confirmed, drafted, signed_in, text_of
from tests.payments.paying import make_bill, stripe_client
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server


def shared(cast: Cast) -> PaymentMethod:
    """Alice's card, shared with Bob."""
    alice = proved(cast.alice)
    added(alice)
    card = latest()
    assert "4242" not in text_of(signed_in(cast.bob).get("/payment-methods/"))
    response = alice.post(f"/payment-methods/{card.pk}/share/", {"member": str(cast.bob.pk)})
    assert response["Location"] == "/payment-methods/"
    return card


def test_who_it_is_shared_with_may_pay_with_it_and_change_nothing(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """Brand and last four digits are seen; it is charged to its owner's customer."""
    card = shared(real_cast)
    bob = proved(real_cast.bob)
    assert "Shared with you" in text_of(bob.get("/payment-methods/"))
    for action in ("name", "default", "remove", "label", "share", "replace"):
        assert bob.post(f"/payment-methods/{card.pk}/{action}/", {}).status_code == 404
    payment = drafted(bob, {make_bill(real_cast.bob, 4_000): "40.00"})
    bob.post(f"/pay/{payment.number}/method/", {"method": str(card.pk)})
    confirmed(bob, payment)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    charged = stripe_client().v1.payment_intents.retrieve(str(payment.stripe_payment_intent_id))
    assert charged.customer == real_cast.alice.user.stripe_customer.stripe_id


def test_an_ended_share_ends_at_once_for_a_payment_under_way_too(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """Asked again at the moment of the charge."""
    card = shared(real_cast)
    bob = signed_in(real_cast.bob)
    payment = drafted(bob, {make_bill(real_cast.bob, 4_000): "40.00"})
    bob.post(f"/pay/{payment.number}/method/", {"method": str(card.pk)})
    share = MethodShare.objects.get()
    assert bob.post(f"/payment-methods/shares/{share.pk}/end/").status_code == 404
    signed_in(real_cast.alice).post(f"/payment-methods/shares/{share.pk}/end/")
    confirmed(bob, payment)
    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.DRAFT
    assert "4242" not in text_of(bob.get("/payment-methods/"))


def test_a_share_ends_with_the_household(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """At once, and the record of it by the daily task."""
    card = shared(real_cast)
    assert sharing.end_broken() == 0
    Member.objects.filter(pk=real_cast.bob.pk).update(household=real_cast.strangers)
    assert card not in PaymentMethod.objects.visible_to(real_cast.bob.user)
    assert (sharing.end_broken(), sharing.end_broken()) == (1, 0)


def test_what_was_shared_before_a_confidential_request_ends_with_it(cast: Cast) -> None:
    """F06, F11: at once, both ways, for autopay too; what is shared afterwards, on purpose, holds."""
    assert cast.bob.user is not None
    hers, his = make_card(cast.alice), make_card(cast.bob)
    MethodShare.objects.create(method=hers, member=cast.bob)
    MethodShare.objects.create(method=his, member=cast.alice)
    enrolled(cast.bob, make_terms(cast.bob, method=hers))
    confidentiality.begin(cast.bob, where={"channel": "mail", "email": "bob@example.com"}, actor="test")
    assert not MethodShare.objects.in_force().exists()
    assert not readiness.is_allowed(hers, cast.bob.user)
    assert his not in PaymentMethod.objects.visible_to(cast.alice.user)
    health.look()
    assert [problem.code for problem in AutopayProblem.objects.filter(closed_at__isnull=True)] == ["share_ended"]
    payment_tasks.part_ways()
    assert MethodShare.objects.filter(ended_reason="parted").count() == 2
    again = sharing.share(his, member=cast.alice)
    assert list(MethodShare.objects.in_force()) == [again]


def test_only_somebody_of_the_household_who_signs_in_can_be_chosen(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """Not a stranger, not a child without a sign-in, nobody with a confidential request."""
    assert sharing.candidates(real_cast.alice.user) == [real_cast.bob]
    alice = proved(real_cast.alice)
    added(alice)
    for stranger in (real_cast.charlie, real_cast.maya, real_cast.alice):
        answer = alice.post(f"/payment-methods/{latest().pk}/share/", {"member": str(stranger.pk)})
        assert answer.status_code == 422
    assert not MethodShare.objects.exists()
    Member.objects.filter(pk=real_cast.bob.pk).update(confidential_since="2026-01-01T00:00:00Z")
    assert sharing.candidates(real_cast.alice.user) == []


def test_a_method_that_is_not_shared_cannot_be_charged_by_another(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """F11, past the page."""
    added(proved(real_cast.alice))
    bob = signed_in(real_cast.bob)
    payment = drafted(bob, {make_bill(real_cast.bob, 4_000): "40.00"})
    assert bob.post(f"/pay/{payment.number}/method/", {"method": str(latest().pk)}).status_code == 422
    checkout.choose(payment, method=latest())
    confirmed(bob, payment)
    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.DRAFT


def test_what_another_has_planned_with_a_method_is_not_told_to_its_owner(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """F06, F11: no amount, no number, no count; it is called off with the method all the same."""
    card = shared(real_cast)
    bob = signed_in(real_cast.bob)
    payment = drafted(bob, {make_bill(real_cast.bob, 4_000): "40.00"})
    bob.post(f"/pay/{payment.number}/method/", {"method": str(card.pk)})
    scheduling.schedule(Payment.objects.get(pk=payment.pk), on=timezone.localdate() + dt.timedelta(days=9))
    Member.objects.filter(pk=real_cast.bob.pk).update(confidential_since=timezone.now())
    alice = proved(real_cast.alice)
    asked = alice.get(f"/payment-methods/{card.pk}/remove/")
    for page in (text_of(alice.get("/payment-methods/")), text_of(asked)):
        assert "cheduled payment" not in page
        assert "$40.00" not in page
        assert payment.number not in page
    alice.post(f"/payment-methods/{card.pk}/remove/")
    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.CANCELED
    assert [event.reason for event in Event.objects.filter(kind="method.share_ended")] == ["removed"]
