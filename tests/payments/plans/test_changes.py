"""Changing one's own plan on its pages; and two at once."""

import re
import threading

import pytest
from django.db import connections
from django.test import Client

from accounts.visibility import scope_of
from bills.models import Bill
from payments import checkout
from payments.models import PaymentMethod, PaymentPlan, PlanBill
from payments.plans import agreeing, paying
from payments.plans.terms import TermsRefused
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.plans.making import amounts_of, choice_of, drafted, make_plan, signing_of


@pytest.fixture
def alice(cast: Cast, client: Client) -> Client:
    client.force_login(cast.alice.user)
    return client


def test_a_bill_is_added_and_all_of_it_signed_again(cast: Cast, alice: Client) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice, amount_cents=40_000)])
    other = make_bill(cast.maya, amount_cents=20_000)
    at = f"/plans/{plan.number}/"
    assert other.number in alice.get(f"{at}add/").content.decode()
    assert alice.post(f"{at}add/", {}).status_code == 422
    assert alice.post(f"{at}add/", {"bill": [other.number]})["Location"] == f"{at}change/"
    assert "6 payments of about $100.00" in alice.get(f"{at}change/").content.decode()
    assert alice.post(f"{at}change/", {"how": "99", "day": "1"}).status_code == 422
    assert alice.post(f"{at}change/", {"how": "6", "day": "31"})["Location"] == f"{at}change/sign/"
    digest = re.search(r'name="digest" value="(\w+)"', alice.get(f"{at}change/sign/").content.decode())
    assert digest is not None
    given = {"digest": digest[1], "agrees": "on", "signature": "Alice Rivera"}
    assert alice.post(f"{at}change/sign/", given | {"digest": "0" * 64}).status_code == 422
    assert alice.post(f"{at}change/sign/", given)["Location"] == at
    assert amounts_of(plan) == [10_000] * 6
    assert plan.agreements.count() == 2
    assert "31" in str(PaymentPlan.objects.get().day_of_month)


def test_pause_go_on_method_and_end(cast: Cast, alice: Client) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    card = PaymentMethod.objects.create(user=cast.alice.user, kind="card", stripe_id="pm_x", last4="4242")
    at = f"/plans/{plan.number}/"
    alice.post(f"{at}method/", {"method": str(card.pk)})
    plan.refresh_from_db()
    assert plan.method_id == card.pk
    alice.post(f"{at}pause/", {"months": "9"})
    assert PaymentPlan.objects.get().paused_from is None
    alice.post(f"{at}pause/", {"months": "1"})
    assert "Paused by you" in alice.get(at).content.decode()
    alice.post(f"{at}resume/")
    assert PaymentPlan.objects.get().paused_from is None
    assert "due on their own dates again" in alice.get(f"{at}end/").content.decode()
    alice.post(f"{at}end/")
    assert PaymentPlan.objects.get().status == "ended"
    assert "You ended this plan" in alice.get(at).content.decode()
    assert alice.get(f"{at}change/")["Location"] == at


def test_the_method_of_another_is_no_choice(cast: Cast, alice: Client) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    foreign = PaymentMethod.objects.create(user=cast.charlie.user, kind="card", stripe_id="pm_c", last4="4242")
    alice.post(f"/plans/{plan.number}/method/", {"method": str(foreign.pk)})
    plan.refresh_from_db()
    assert plan.method_id is None


def test_two_offers_of_one_bill_at_once_make_one_plan(real_cast: Cast) -> None:
    bill = make_bill(real_cast.bob, amount_cents=40_000)
    signers = [(real_cast.alice, choice_of(3)), (real_cast.bob, choice_of(4))]
    outcomes = _at_once([_signer(member, bill, choice) for member, choice in signers])
    assert sorted(outcomes) == ["refused", "signed"]
    assert PlanBill.objects.count() == PaymentPlan.objects.count() == 1


def test_a_payment_and_a_plan_at_once_leave_both_right(real_cast: Cast) -> None:
    """Paid by hand while it is spread: the plan is for what was owed when it was signed, or is not made."""
    bill = make_bill(real_cast.alice, amount_cents=40_000)
    user = real_cast.alice.user
    assert user is not None

    def pay() -> str:
        draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 40_000})
        return str(draft.status)

    outcomes = _at_once([_signer(real_cast.alice, bill, choice_of(4)), pay])
    assert "draft" in outcomes
    for plan in PaymentPlan.objects.all():
        assert sum(amounts_of(plan)) == 40_000
        payment = paying.begin(scope_of(user), plan, payer=user, cents=40_000)
        assert payment.amount_cents == 40_000


def _signer(member: object, bill: Bill, choice: object):  # type: ignore[no-untyped-def]
    signing, user = signing_of(drafted(member, [bill], choice)), member.user  # type: ignore[attr-defined, arg-type]

    def sign() -> str:
        try:
            agreeing.accept(scope_of(user), user, [bill.number], choice, signing)  # type: ignore[arg-type]
        except TermsRefused:
            return "refused"
        return "signed"

    return sign


def _at_once(calls):  # type: ignore[no-untyped-def]
    gate, outcomes = threading.Barrier(len(calls)), []

    def run(call) -> None:  # type: ignore[no-untyped-def]
        try:
            gate.wait(timeout=20)
            outcomes.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
