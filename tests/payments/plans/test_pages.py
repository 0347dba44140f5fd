"""The pages of plans: from the offer on a bill to the signed agreement as a document; and who sees which."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Access
from bills import holds
from bills.models import Bill, Hold
from payments.models import Payment, PaymentPlan, PlanAgreement
from tests.conftest import Cast
from tests.factories import make_bill, make_delegate
from tests.payments.plans.making import make_plan, move_back


@pytest.fixture
def alice(cast: Cast, client: Client) -> Client:
    client.force_login(cast.alice.user)
    return client


def test_from_the_bill_to_the_signature(cast: Cast, alice: Client) -> None:
    bill = make_bill(cast.maya, amount_cents=60_000)
    assert f"/plans/new/?bill={bill.number}" in alice.get(f"/bills/{bill.number}/").content.decode()
    assert "/plans/new/" in alice.get("/overview/").content.decode()
    assert f'value="{bill.number}" checked' in alice.get(f"/plans/new/?bill={bill.number}").content.decode()
    assert alice.post("/plans/new/", {"bill": [bill.number]})["Location"] == "/plans/new/terms/"
    assert "6 payments of about $100.00" in alice.get("/plans/new/terms/").content.decode()
    answer = alice.post("/plans/new/terms/", {"how": "6", "day": "15", "down": "60.00"})
    assert answer["Location"] == "/plans/new/sign/"
    page = alice.get("/plans/new/sign/").content.decode()
    assert "0.00 %" in page and "Section 1785.27" in page and "$540.00" in page
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest is not None
    given = {"digest": digest[1], "agrees": "on", "signature": "alice  RIVERA"}
    unread = alice.post("/plans/new/sign/", given | {"digest": "0" * 64})
    assert unread.status_code == 422 and not PaymentPlan.objects.exists()
    assert alice.post("/plans/new/sign/", given | {"agrees": ""}).status_code == 422
    assert alice.post("/plans/new/sign/", given | {"signature": "Eve"}).status_code == 422
    answer = alice.post("/plans/new/sign/", given)
    plan = PaymentPlan.objects.get()
    assert answer["Location"] == f"/plans/{plan.number}/"
    page = alice.get(f"/plans/{plan.number}/").content.decode()
    assert "$600.00" in page and "Down payment" in page and bill.number in page
    assert "See its payment plan" in alice.get(f"/bills/{bill.number}/").content.decode()
    assert plan.number in alice.get("/plans/").content.decode()


def test_the_agreement_opens_as_a_tagged_document(cast: Cast, alice: Client) -> None:
    import io

    import pikepdf

    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    answer = alice.get(f"/plans/agreements/{plan.agreements.get().pk}/")
    assert answer["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang) == "en"
        assert plan.number in str(document.docinfo.get("/Title", "")) or document.open_metadata()


def test_a_step_that_is_skipped_begins_again(alice: Client) -> None:
    assert alice.get("/plans/new/terms/")["Location"] == "/plans/new/"
    assert alice.get("/plans/new/sign/")["Location"] == "/plans/new/"
    assert "No bill to spread" in alice.get("/plans/new/").content.decode()
    assert "No payment plan yet" in alice.get("/plans/").content.decode()


def test_what_cannot_be_chosen_says_why(cast: Cast, alice: Client) -> None:
    small = make_bill(cast.alice, amount_cents=5_000)
    assert alice.post("/plans/new/", {}).status_code == 422
    assert b"$100.00 or more" in alice.post("/plans/new/", {"bill": [small.number]}).content
    big = make_bill(cast.alice, amount_cents=50_000)
    alice.post("/plans/new/", {"bill": [big.number]})
    for wrong in ({"how": "99", "day": "1"}, {"how": "count", "day": "1"}, {"how": "monthly", "day": "1"},
                  {"how": "count", "count": "999", "day": "1"}, {"how": "6", "day": "32"},
                  {"how": "monthly", "monthly": "1e5", "day": "1"}, {"how": "6", "day": "1", "down": "-5"},
                  {"how": "monthly", "monthly": "1.00", "day": "1"}):  # fmt: skip
        assert alice.post("/plans/new/terms/", wrong).status_code == 422, wrong


def test_paying_opens_the_checkout_with_the_right_amounts(cast: Cast, alice: Client) -> None:
    """The bill due first before the other, and nothing beyond what is left."""
    first = make_bill(cast.alice, amount_cents=15_000, due_on=timezone.localdate())
    second = make_bill(cast.maya, amount_cents=25_000)
    plan = make_plan(cast.alice, [second, first])
    for given, amounts in (
        ({"what": "next"}, {first.pk: 10_000}),
        ({"what": "other", "amount": "170.00"}, {first.pk: 15_000, second.pk: 2_000}),
        ({"what": "all"}, {first.pk: 15_000, second.pk: 25_000}),
    ):
        answer = alice.post(f"/plans/{plan.number}/pay/", given)
        payment = Payment.objects.latest("pk")
        assert answer["Location"] == f"/pay/{payment.number}/method/"
        assert dict(payment.allocations.values_list("bill_id", "amount_cents")) == amounts
    for wrong in ({}, {"what": "other"}, {"what": "other", "amount": "0"}, {"what": "other", "amount": "400.01"}):
        assert alice.post(f"/plans/{plan.number}/pay/", wrong).status_code == 422, wrong


def test_others_of_the_household_see_it_only_where_they_see_every_bill(cast: Cast, client: Client) -> None:
    bob = make_plan(cast.bob, [make_bill(cast.bob)])
    both = make_plan(cast.alice, [make_bill(cast.bob), make_bill(cast.alice)])
    seen = {
        "alice": (cast.alice.user, {bob, both}), "bob": (cast.bob.user, {bob}), "charlie": (cast.charlie.user, set()),
        "delegate": (make_delegate(cast.bob, "del@example.com", "view"), {bob}),
    }  # fmt: skip
    for name, (user, plans) in seen.items():
        assert set(PaymentPlan.objects.visible_to(scope_of(user))) == plans, name
        assert {each.plan for each in PlanAgreement.objects.visible_to(user)} == plans, name
        client.force_login(user)
        for plan in (bob, both):
            assert client.get(f"/plans/{plan.number}/").status_code == (200 if plan in plans else 404), name


def test_the_list_names_a_plan_by_its_bills_as_far_as_the_viewer_may_know(cast: Cast, client: Client) -> None:
    bills = [make_bill(cast.bob, title="Hospital stay"), make_bill(cast.bob, provider_name="Cedar Clinic")]
    plan = make_plan(cast.bob, bills)
    service = {"Hospital stay", "Outpatient visit", "Oakridge Medical Center", "Cedar Clinic"}
    payer = make_delegate(cast.bob, "payer@example.com", "pay_only")
    for user, seen in ((cast.bob.user, service), (cast.alice.user, service), (payer, set())):
        assert user is not None
        client.force_login(user)
        page = client.get("/plans/").content.decode()
        assert plan.number in page
        assert {word for word in service if word in page} == seen
    Bill.objects.filter(pk=bills[0].pk).update(member=cast.charlie)  # nobody's here to see any more
    client.force_login(cast.bob.user)  # type: ignore[arg-type]
    page = client.get("/plans/").content.decode()
    assert "Cedar Clinic" in page and "Hospital stay" not in page and "Oakridge" not in page


def test_the_plan_of_a_confidential_member_is_theirs_alone(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.bob, [make_bill(cast.bob)])
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    client.force_login(cast.alice.user)
    assert client.get(f"/plans/{plan.number}/").status_code == 404
    assert plan.number not in client.get("/plans/").content.decode()
    Bill.objects.filter(member=cast.bob).update(shared_at=timezone.now())
    client.force_login(cast.bob.user)
    assert client.get(f"/plans/{plan.number}/").status_code == 200


def test_a_look_by_a_delegate_is_recorded(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.bob, [make_bill(cast.bob)])
    user = make_delegate(cast.bob, "del@example.com", "view")
    client.force_login(user)
    client.get(f"/plans/{plan.number}/")
    assert Access.objects.filter(user=user, member_id=cast.bob.pk).exists()


def test_a_held_bill_pauses_its_plan_on_every_page_at_once(cast: Cast, alice: Client) -> None:
    """Nothing is charged from the moment of the hold, and no page asks for it before the night writes it down."""
    bill = make_bill(cast.alice, amount_cents=40_000)
    plan = make_plan(cast.alice, [bill])
    move_back(plan, 60)
    pages = ("/plans/", f"/plans/{plan.number}/", "/overview/")
    assert all("Payment missed" in alice.get(page).content.decode() for page in pages)
    holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:5")
    texts = [alice.get(page).content.decode() for page in pages]
    assert not any("Payment missed" in text or "Due now" in text for text in texts)
    assert all(">Paused<" in text for text in texts)
    assert all("application for help is pending" in text for text in texts[1:])
    assert f"/plans/{plan.number}/change/" not in texts[1]
    holds.end_all_of("application:5")
    holds.begin(bill, cause=Hold.Cause.REVIEW)
    assert all("under review" in alice.get(page).content.decode() for page in pages[1:])
