"""The next instalment on the overview: amount, day, who pays it, and the way back; to nobody but its owner."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from payments.models import PaymentPlan
from payments.plans import standing
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.plans.making import make_plan, move_back, today

TITLE = "Next plan payment"


def shown(client: Client, member: Any) -> str:
    client.force_login(member.user)
    return " ".join(client.get("/overview/").content.decode().split())


def amount_and_day(plan: PaymentPlan) -> tuple[int, dt.date]:
    line = standing.of(PaymentPlan.objects.select_related("policy").get(pk=plan.pk)).next_line
    assert line is not None
    return line.open_cents, line.installment.due_on


def test_it_is_shown_to_its_owner_alone_and_follows_what_is_paid_and_on_its_way(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    assert TITLE not in shown(client, cast.alice)
    bill = make_bill(cast.alice, amount_cents=40_000)
    plan = make_plan(cast.alice, [bill])
    assert amount_and_day(plan)[0] == 10_000
    make_payment({bill: 3_000}, payer=cast.alice.user)
    make_payment({bill: 2_000}, payer=cast.alice.user, status="processing")
    cents, _day = amount_and_day(plan)
    assert cents == 5_000
    with django_assert_max_num_queries(12):
        page = client.get("/overview/").content.decode()
    assert TITLE in page and "$50.00" in page and "You pay it by hand." in page and f"/plans/{plan.number}/" in page
    for other in (cast.bob, cast.charlie):
        assert TITLE not in shown(client, other)


def test_a_plan_of_a_confidential_member_is_no_business_of_the_holder(cast: Cast, client: Client) -> None:
    """F06: nor is that of another adult: it is not hers to pay or to change."""
    make_plan(cast.bob, [make_bill(cast.bob, amount_cents=40_000)])
    assert TITLE not in shown(client, cast.alice)
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert TITLE not in shown(client, cast.alice)
    assert TITLE in shown(client, cast.bob)


def test_of_several_the_one_that_presses_most_is_shown_and_how_to_catch_up(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    plans = [make_plan(cast.alice, [make_bill(cast.alice, amount_cents=40_000)]) for _ in range(3)]
    move_back(plans[1], (amount_and_day(plans[1])[1] - today()).days + 10)
    with django_assert_max_num_queries(30):  # with the sign-in
        page = shown(client, cast.alice)
    with django_assert_max_num_queries(12):
        client.get("/overview/")
    assert f"/plans/{plans[1].number}/" in page and "2 more plans" in page
    assert "Pay $100.00 and you are back on track." in page
    PaymentPlan.objects.filter(pk=plans[1].pk).update(
        paused_from=today(), paused_until=today() + dt.timedelta(days=30), pause_reason="hardship"
    )
    page = shown(client, cast.alice)
    assert f"/plans/{plans[0].number}/" in page and "back on track" not in page


@pytest.mark.parametrize("reason", ["hardship", "assistance", "review"])
def test_a_pause_says_until_when_in_both_languages(cast: Cast, client: Client, reason: str) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice, amount_cents=40_000)])
    PaymentPlan.objects.filter(pk=plan.pk).update(
        paused_from=today(), paused_until=today() + dt.timedelta(days=30), pause_reason=reason
    )
    english = shown(client, cast.alice)
    assert TITLE in english and "othing is due" in english and "$100.00 " not in english
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    with translation.override("es"):  # and afterwards back: a request leaves its language behind
        spanish = shown(client, cast.alice)
    assert "Próximo pago del plan" in spanish and "othing is due" not in spanish
