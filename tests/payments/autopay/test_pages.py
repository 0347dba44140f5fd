"""The Autopay pages: the three steps without script, what is on, one charge, the calendar; nobody else's."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.visibility import scope_of
from ledger.templatetags.portal import day_long
from payments.autopay import changing, consents, monthly
from payments.autopay.terms import Subject
from payments.models import AutopayCharge, AutopayConsent, AutopayEnrollment
from payments.plans import standing, watching
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment
from tests.payments.adding import AGENT, proved
from tests.payments.autopay.making import announced, enrolled, in_days, make_card, make_terms, premium_terms, stands
from tests.payments.pages import signed_in, text_of
from tests.payments.plans.making import make_plan

pytestmark = pytest.mark.django_db


def turned_on(client: Client, key: str, **chosen: object) -> str:
    """Go through the steps; the address that it ends at."""
    answer = client.post(f"/autopay/terms/?for={key}", chosen)
    assert answer.status_code == 302, text_of(answer)
    assert answer["Location"] == "/autopay/review/"
    review = client.get("/autopay/review/")
    assert "What you agree to" in text_of(review)
    return str(client.post("/autopay/review/", headers={"user-agent": AGENT})["Location"])


def test_three_steps_turn_it_on(cast: Cast) -> None:
    """What, how, agree: the words that were shown are those that are kept, with who, when and from where."""
    coverage, card = make_coverage(cast.alice, cast.maya), make_card(cast.alice)
    alice = proved(cast.alice)
    assert "Premium of Family Silver 70" in text_of(alice.get("/autopay/new/"))
    assert "Visa ending in 4242" in text_of(alice.get(f"/autopay/terms/?for=premium-{coverage.pk}"))
    address = turned_on(
        alice, f"premium-{coverage.pk}", method=card.pk, day_rule="day_of_month", day_of_month=31, limit="600.00"
    )
    enrollment = AutopayEnrollment.objects.get()
    assert address == f"/autopay/{enrollment.pk}/"
    assert (enrollment.day_of_month, enrollment.limit_cents, enrollment.coverage) == (31, 60_000, coverage)
    consent = AutopayConsent.objects.get()
    assert (consent.address, consent.user_agent, consent.version) == ("127.0.0.1", AGENT, consents.VERSION)
    assert "$600.00" in consent.text
    page = text_of(alice.get(address))
    assert "day 31 of the month" in page
    assert "3 business days" in page


def test_medical_bills_of_the_people_chosen(cast: Cast) -> None:
    """No more than were chosen; the form offers nobody whom the viewer may not pay for."""
    card, alice = make_card(cast.alice), proved(cast.alice)
    page = text_of(alice.get("/autopay/terms/?for=medical"))
    assert "Maya Rivera" in page
    assert "Charlie" not in page
    turned_on(alice, "medical", method=card.pk, day_rule="on_due", members=[cast.maya.pk])
    assert list(AutopayEnrollment.objects.get().members.all()) == [cast.maya]
    wrong = {"method": card.pk, "day_rule": "on_due", "members": [cast.charlie.pk]}
    assert alice.post("/autopay/terms/?for=medical", wrong).status_code == 422


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"day_rule": "on_due"}, "Choose how to pay."),
        ({"method": "own", "day_rule": "days_before"}, "Write how many days"),
        ({"method": "own", "day_rule": "day_of_month", "day_of_month": "32"}, "less than or equal to 31"),
        ({"method": "own", "day_rule": "on_due", "limit": "-5"}, "Write an amount in dollars"),
        ({"method": "own", "day_rule": "on_due", "fallback": "own"}, "Choose another method as the second one"),
        ({"method": "bobs", "day_rule": "on_due"}, "Choose one of the ways to pay"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(cast: Cast, chosen: dict[str, str], words: str) -> None:
    cards = {"own": make_card(cast.alice).pk, "bobs": make_card(cast.bob).pk}
    posted = {name: cards.get(value, value) for name, value in chosen.items()} | {"members": [cast.alice.pk]}
    answer = signed_in(cast.alice).post("/autopay/terms/?for=medical", posted)
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_agreeing_asks_who_one_is_first(cast: Cast) -> None:
    """H16: at the page of the words, at each change, and when a charge is changed."""
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.alice)
    alice = signed_in(cast.alice)
    for address in (
        "/autopay/review/",
        f"/autopay/{enrollment.pk}/stop/",
        f"/autopay/{enrollment.pk}/pause/",
        f"/autopay/{enrollment.pk}/resume/",
        f"/autopay/charges/{charge.pk}/change/",
    ):
        answer = alice.post(address, {"skip": "1", "until": in_days(9)})
        assert answer["Location"].startswith("/accounts/reauthenticate/"), address
    enrollment.refresh_from_db()
    assert (enrollment.status, stands(charge)[0]) == ("active", "announced")


def test_a_step_that_lost_its_ground_leads_back(cast: Cast) -> None:
    """The card was removed between choosing and agreeing; and there is nothing to agree to without a choice."""
    card, alice = make_card(cast.alice), proved(cast.alice)
    assert alice.get("/autopay/review/")["Location"] == "/autopay/"
    alice.post("/autopay/terms/?for=medical", {"method": card.pk, "day_rule": "on_due", "members": [cast.alice.pk]})
    card.blocked_at = timezone.now()
    card.save()
    assert alice.post("/autopay/review/").status_code == 422
    card.removed_at = timezone.now()
    card.save()
    assert alice.post("/autopay/review/")["Location"] == "/autopay/terms/?for=medical"
    assert not AutopayEnrollment.objects.exists()


def test_the_page_says_what_is_on_what_comes_and_how_it_ended(cast: Cast) -> None:
    enrollment = enrolled(cast.alice, premium_terms(cast.alice))
    announced(enrollment, cast.alice)
    announced(enrollment, cast.maya, status="failed", code="insufficient_funds", charge_on=in_days(-2))
    announced(enrollment, cast.maya, status="not_needed", code="paid_meanwhile", charge_on=in_days(-9))
    page = text_of(signed_in(cast.alice).get("/autopay/"))
    for words in (
        "Premium of Family Silver 70", "on the due date", "Next: $185.00", "You have not been charged.",
        "There was not enough money", "had been paid by then", "Medical bills", "Off",
    ):  # fmt: skip
        assert words in page, words
    AutopayEnrollment.objects.update(status="suspended", suspended_code="method_unusable")
    assert "We have stopped it until you act." in text_of(signed_in(cast.alice).get("/autopay/"))


def test_what_another_turned_on_is_said_without_whose_card(cast: Cast) -> None:
    coverage = make_coverage(cast.bob, plan_name="Bronze 60")
    wanted = make_terms(cast.bob, method=make_card(cast.bob, last4="7777"), subject=premium_terms(cast.alice).subject)
    enrolled(cast.bob, make_terms(cast.bob, subject=type(wanted.subject)(covers="premium", coverage=coverage)))
    page = text_of(signed_in(cast.alice).get("/autopay/"))
    assert "Somebody else who pays for this coverage" in page
    assert "4242" not in page


def test_a_charge_of_a_bill_that_is_not_seen_any_more_is_not_shown(cast: Cast) -> None:
    """F27: Bob asked for confidential communications; neither list, calendar nor page has it."""
    charge = announced(enrolled(cast.alice, make_terms(cast.alice, cast.bob)), cast.bob)
    alice = signed_in(cast.alice)
    assert "$185.00" in text_of(alice.get("/autopay/"))
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert "$185.00" not in text_of(alice.get("/autopay/"))
    assert "Bob" not in text_of(alice.get("/autopay/"))
    assert "$185.00" not in text_of(alice.get(f"/autopay/calendar/?month={charge.charge_on:%Y-%m}"))
    assert alice.get(f"/autopay/charges/{charge.pk}/").status_code == 404


def test_one_charge_is_skipped_moved_and_answered_on_its_page(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    charge, asked = announced(enrollment, cast.alice), announced(enrollment, cast.maya, status="asked")
    alice = proved(cast.alice)
    address = f"/autopay/charges/{charge.pk}/"
    assert "Skip this payment" in text_of(alice.get(address))
    alice.post(f"{address}change/", {"move": "1", "on": in_days(20)})
    charge.refresh_from_db()
    assert charge.charge_on == in_days(20)
    alice.post(f"{address}change/", {"skip": "1"})
    assert stands(charge) == ("skipped", "member")
    assert "Make this payment" in text_of(alice.get(address))
    alice.post(f"{address}change/", {"return": "1"})
    other = make_card(cast.alice, last4="1881")
    alice.post(f"{address}change/", {"other": "1", "method": other.pk})
    charge.refresh_from_db()
    assert (charge.status, charge.method) == ("announced", other)
    assert "above your limit" in text_of(alice.get(f"/autopay/charges/{asked.pk}/"))
    alice.post(f"/autopay/charges/{asked.pk}/change/", {"yes": "1"})
    assert stands(asked) == ("announced", "approved")


def test_a_failed_instalment_leads_to_its_plan_until_it_is_paid(cast: Cast) -> None:
    bill = make_bill(cast.alice, amount_cents=40_000)
    plan = make_plan(cast.alice, [bill])
    line = standing.of(plan).lines[0]
    enrollment = enrolled(cast.alice, make_terms(cast.alice, subject=Subject(covers="plan", plan=plan)))
    failed = AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, installment=line.installment, method=enrollment.method,
        status="failed", amount_cents=line.open_cents, due_on=in_days(0), charge_on=in_days(0),
    )  # fmt: skip
    alice, address = signed_in(cast.alice), f"/autopay/charges/{failed.pk}/"
    assert "Pay now" in text_of(alice.get(address))
    make_payment({bill: line.open_cents}, payer=cast.alice.user)
    assert "Pay now" not in text_of(alice.get(address))


def test_a_plan_that_is_paid_off_says_so_and_one_that_ended_what_was_agreed(cast: Cast) -> None:
    paid, ended = (make_bill(cast.alice, amount_cents=cents) for cents in (40_000, 20_000))
    plans = [make_plan(cast.alice, [bill]) for bill in (paid, ended)]
    enrollment = enrolled(cast.alice, make_terms(cast.alice, subject=Subject(covers="plan", plan=plans[0])))
    make_payment({paid: 40_000}, payer=cast.alice.user)
    watching.run()
    alice = proved(cast.alice)
    for address in ("/autopay/", f"/autopay/{enrollment.pk}/"):
        page = text_of(alice.get(address))
        assert "The plan is paid off. Nothing more is charged." in page and "No payment is planned yet" not in page
    alice.post(f"/plans/{plans[1].number}/end/")
    page = text_of(alice.get("/plans/"))
    assert "$400.00 in all" in page and "$200.00 in all" in page and "$0.00 in all" not in page


def test_what_nobody_said_yes_to_by_its_day_can_be_charged_from_tomorrow_on(cast: Cast) -> None:
    """And the calendar does not say that it was charged on the day that has gone by."""
    charge = announced(enrolled(cast.alice), cast.alice, status="asked", charge_on=in_days(-3))
    alice, tomorrow = signed_in(cast.alice), day_long(in_days(1))
    assert f"Next: $185.00 on {tomorrow}, only if you say yes" in text_of(alice.get("/autopay/"))
    assert f"on {tomorrow}" in text_of(alice.get(f"/autopay/charges/{charge.pk}/"))
    found = monthly.entries(scope_of(cast.alice.user), in_days(-10), in_days(10))
    assert [entry for entry in found if entry.kind == "autopay"] == []


def test_what_failed_says_when_it_is_tried_again_and_with_what(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    failed = announced(enrollment, cast.alice, status="failed", code="insufficient_funds")
    alice, address = signed_in(cast.alice), f"/autopay/charges/{failed.pk}/"
    page = text_of(alice.get(address))
    assert "We do not try again by ourselves." in page and "Tried on" in page and "Charged on" not in page
    other = make_card(cast.alice, last4="1881")
    again = AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, bill=failed.bill, attempt=2, amount_cents=failed.amount_cents,
        due_on=failed.due_on, charge_on=in_days(20), method=other,
    )  # fmt: skip
    page = text_of(alice.get(address))
    assert f"We try again on {day_long(in_days(20))} with Visa ending in 1881, unless you have paid by then." in page
    assert f'href="/autopay/charges/{again.pk}/"' in alice.get(address).content.decode()
    assert "Planned for" in text_of(alice.get(f"/autopay/charges/{again.pk}/"))
    for status in ("queued", "sent"):
        AutopayCharge.objects.filter(pk=again.pk).update(status=status)
    assert "It was tried again." in text_of(alice.get(address))
    assert f"/pay/?bill={failed.bill.number}" in alice.get(address).content.decode()  # type: ignore[union-attr]
    make_payment({failed.bill: failed.amount_cents}, payer=cast.alice.user)  # type: ignore[dict-item]
    page = alice.get(address).content.decode()
    assert "/pay/?bill=" not in page and "We do not try again" not in page


def test_it_is_paused_resumed_and_stopped_with_clear_words(cast: Cast) -> None:
    """D27: what is on its way is named."""
    enrollment = enrolled(cast.alice)
    announced(enrollment, cast.alice, status="sent", amount_cents=4_000)
    alice = proved(cast.alice)
    address = f"/autopay/{enrollment.pk}/"
    alice.post(f"{address}pause/", {"until": "yesterday"})
    alice.post(f"{address}pause/", {"until": in_days(30)})
    page = text_of(alice.get(address))
    assert "Paused until" in page
    assert "$40.00 is already on its way and is not stopped" in page
    alice.post(f"{address}resume/")
    assert "is on its way and is not stopped" in text_of(alice.get(f"{address}stop/"))
    alice.post(f"{address}stop/")
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.ended_code) == ("ended", "stopped")
    assert "Autopay is off" in text_of(alice.get(address))


def test_the_calendar_shows_a_month_and_the_same_as_a_list(cast: Cast) -> None:
    charge = announced(enrolled(cast.alice), cast.alice)
    make_bill(cast.charlie, amount_cents=77_700, due_on=charge.due_on)
    alice = signed_in(cast.alice)
    page = text_of(alice.get(f"/autopay/calendar/?month={charge.charge_on:%Y-%m}"))
    assert page.count("$185.00") == 4  # due and charged, in the month and in the list
    assert "$777.00" not in page
    for wrong in ("2026-13", "x", "1990-01", "9999-12"):
        assert alice.get(f"/autopay/calendar/?month={wrong}").status_code == 404
    empty = timezone.localdate() + dt.timedelta(days=300)
    assert "Nothing in this month" in text_of(alice.get(f"/autopay/calendar/?month={empty:%Y-%m}"))


def test_a_payment_plan_is_named_with_its_bills_as_far_as_they_are_seen(cast: Cast) -> None:
    """On the Autopay page and the calendar, at a charge and at what is due; what is paid ahead is not due."""
    titles = ("Hospital stay", "Imaging", "Office visit", "Laboratory")
    bills = [make_bill(cast.bob if title == "Imaging" else cast.maya, title=title) for title in titles]
    plan = make_plan(cast.alice, bills)
    first, second = standing.of(plan).lines[:2]
    make_payment({bills[0]: first.open_cents}, payer=cast.alice.user)
    enrollment = enrolled(cast.alice, make_terms(cast.alice, subject=Subject(covers="plan", plan=plan)))
    charge = AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, installment=second.installment, method=enrollment.method,
        amount_cents=second.open_cents, due_on=second.installment.due_on, charge_on=second.installment.due_on,
    )  # fmt: skip
    alice, name = signed_in(cast.alice), f"Payment plan {plan.number}"
    month = f"/autopay/calendar/?month={charge.charge_on:%Y-%m}"
    for address, times in (("/autopay/", 2), (month, 2), (f"/autopay/charges/{charge.pk}/", 2)):
        assert text_of(alice.get(address)).count(f"{name}: Hospital stay, Imaging and 2 more bills") == times, address
    due = [
        entry for entry in monthly.entries(scope_of(cast.alice.user), in_days(0), in_days(90)) if entry.kind == "due"
    ]
    assert [entry.on for entry in due][:1] == [second.installment.due_on]
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert f"{name}: Hospital stay, Office visit and 1 more bill" in text_of(alice.get(month))
    assert "Imaging" not in text_of(alice.get("/autopay/")) + text_of(alice.get(month))


def test_the_overview_says_what_is_taken_next_and_the_bill_says_how_much_from_what(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    """Amount, day, last four digits and a link, within the twelve queries of the page; to its member alone."""
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya))
    later, sooner = announced(enrollment, cast.bob, days=20), announced(enrollment, cast.maya, days=12)
    alice = signed_in(cast.alice)
    alice.get("/overview/")
    with django_assert_max_num_queries(12):
        page = text_of(alice.get("/overview/"))
    assert "Next automatic payment" in page
    assert f"$185.00 {in_days(12):%B} {in_days(12).day}" in page
    assert "From Visa ending in 4242. You need not pay it by hand." in page
    links = alice.get("/overview/").content.decode()
    assert f'href="/autopay/charges/{sooner.pk}/"' in links
    assert f"/autopay/charges/{later.pk}/" not in links
    assert sooner.bill is not None
    assert "$185.00 from Visa ending in 4242" in text_of(alice.get(f"/bills/{sooner.bill.number}/"))
    assert "Next automatic payment" not in text_of(signed_in(cast.bob).get("/overview/"))


def test_the_overview_names_the_day_after_a_pause_asks_for_a_yes_and_says_nothing_of_what_is_skipped(
    cast: Cast,
) -> None:
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.alice, days=12)
    changing.pause(enrollment, cast.alice.user, until=in_days(30))
    alice = signed_in(cast.alice)
    assert f"{in_days(30):%B} {in_days(30).day}" in text_of(alice.get("/overview/"))
    AutopayCharge.objects.filter(pk=charge.pk).update(status="asked")
    assert "Say yes or no" in text_of(alice.get("/overview/"))
    AutopayCharge.objects.filter(pk=charge.pk).update(status="skipped")
    assert "Autopay: see what it pays and when, or turn it on" in text_of(alice.get("/overview/"))
