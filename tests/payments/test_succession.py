"""A holder leaves: another holds the account by their own word, from midnight, and sees nothing of the former."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import departures, successions
from accounts.households import add_member
from accounts.models import Delegate, Departure, Household, Member, User
from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills import sharing
from bills.models import Bill, Claim, Statement
from payments import departing, guest_links, monthly_statements, paper_statements, parting, statement_reading
from payments.models import AutopayEnrollment, Payment, PlanBill
from payments.states import PaymentStatus
from tests.access.conftest import prove
from tests.bills.test_claim_pages import make_claim
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.autopay.making import enrolled, make_terms
from tests.payments.pages import text_of
from tests.payments.plans.making import make_plan
from tests.payments.test_leaving import HER_LETTERS, at_midnight_of

IN_TEN_DAYS = 10


def goes(holder: Member, to: Member | None, *, days: int = IN_TEN_DAYS, **chosen: object) -> Departure:
    """Plan that a holder leaves in so many days."""
    assert holder.user is not None
    on = timezone.localdate() + dt.timedelta(days=days)
    scope = scope_of(holder.user)
    return successions.plan(holder, scope, cause="divorce", on=on, successor=to, by=holder.user, **chosen)  # type: ignore[arg-type]


def agrees(departure: Departure, member: Member, *, is_yes: bool = True) -> None:
    """Answer what was asked."""
    assert member.user is not None
    successions.answer(departure, scope_of(member.user), is_yes=is_yes, by=member.user)


def handed_over(holder: Member, to: Member, **chosen: str) -> Departure:
    """Plan it, agree to it, and let the day come."""
    departure = goes(holder, to, **chosen)
    agrees(departure, to)
    with at_midnight_of(departure.on):
        assert departing.run() == 1
        parting.part_ways()
    return departure


def holder_of(household: Household) -> Member:
    return Member.objects.get(household=household, is_primary_holder=True)


def test_in_the_portal_the_holder_asks_and_the_other_says_yes(cast: Cast) -> None:
    make_bill(cast.alice, amount_cents=12_345)
    hers, his = prove(Client(), cast.alice.user), prove(Client(), cast.bob.user)
    address = f"/family/leaving/{cast.alice.pk}/account/"
    assert address in hers.get("/family/leaving/").content.decode()
    page = text_of(hers.get(address))
    assert "$123.45" in page and "credit stays with the account" in page and "Member Services tell you how" in page
    last = timezone.localdate() + dt.timedelta(days=3)
    form = {"cause": "divorce", "last_day": last.isoformat(), "successor": cast.bob.pk, "step": "review"}
    assert "Nothing has changed yet" in text_of(hers.post(address, form))
    assert not Departure.objects.exists()
    for _twice in range(2):
        assert hers.post(address, form | {"step": "confirm"}).status_code == 302
    assert "has not said yes yet" in text_of(hers.get(address))
    assert Member.objects.get(pk=cast.alice.pk).left_on is None
    assert "asks you to hold the account" in text_of(his.get("/family/leaving/"))
    assert "not even earlier ones" in text_of(his.get("/family/leaving/offers/"))
    offer = {"offer": Departure.objects.get().pk, "answer": "yes"}
    assert prove(Client(), cast.charlie.user).post("/family/leaving/offers/", offer).status_code == 404
    his.post("/family/leaving/offers/", offer)
    assert "You have said yes" in text_of(his.get("/family/leaving/offers/"))
    assert "has said yes and holds the account" in text_of(hers.get(address))
    told = Event.objects.filter(kind__startswith="departure.").values_list("kind", flat=True).order_by("pk")
    assert list(told) == ["departure.planned", "departure.holder_asked", "departure.changed"]


def test_holding_ends_at_midnight_by_the_date_and_goes_on_with_the_other(cast: Cast) -> None:
    child, own = make_bill(cast.maya), make_bill(cast.alice)
    departure = goes(cast.alice, cast.bob)
    agrees(departure, cast.bob)
    with at_midnight_of(departure.on, before=True):
        assert departing.run() == 0
        assert child in Bill.objects.visible_to(cast.alice.user)
    with at_midnight_of(departure.on):
        assert list(Bill.objects.visible_to(cast.alice.user)) == [own]  # whatever has run
        assert (departing.run(), departing.run()) == (1, 0)
        assert list(Bill.objects.visible_to(cast.alice.user)) == [own]
        assert list(Bill.objects.visible_to(cast.bob.user)) == [child]
        assert prove(Client(), cast.alice.user).get(f"/bills/{own.number}/").status_code == 200
    assert holder_of(cast.alice.household) == cast.bob


def test_the_next_holder_sees_nothing_of_the_former_ones_own(cast: Cast) -> None:
    """No bill, claim, payment, row of an old statement, nor what a delegate's leave had shown before."""
    today = timezone.localdate()
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    bill = make_bill(cast.alice, title="Hers alone", issued_on=month, due_on=today)
    make_bill(cast.maya, title="The child's", issued_on=month, due_on=today)
    payment = make_payment({bill: 1_000}, payer=cast.alice.user)
    make_claim(cast.alice)
    Delegate.objects.create(member=cast.alice, user=cast.bob.user, grant="full")
    monthly_statements.issue(month, on=today.replace(day=1))
    departure = handed_over(cast.alice, cast.bob)
    with at_midnight_of(departure.on):
        scope = scope_of(cast.bob.user)
        assert not Bill.objects.visible_to(scope).filter(pk=bill.pk).exists()
        assert not Claim.objects.visible_to(scope).exists()
        assert not Payment.objects.visible_to(scope).filter(pk=payment.pk).exists()
        statement = Statement.objects.visible_to(scope).get(month=month, member=None)
        assert {row.title for row in statement_reading.read(statement, scope).rows} == {"The child's"}
        assert "Hers alone" not in text_of(prove(Client(), cast.bob.user).get(f"/documents/{statement.number}/"))


def test_without_a_yes_the_day_passes_and_nothing_changes(cast: Cast) -> None:
    departure = goes(cast.alice, cast.bob)
    with at_midnight_of(departure.on):
        assert departing.run() == 1
        assert cast.maya.pk in scope_of(cast.alice.user).held_ids
    departure.refresh_from_db()
    assert departure.canceled_at and not departure.done_at
    assert holder_of(cast.alice.household) == cast.alice


def test_it_lapses_where_who_agreed_cannot_any_more(cast: Cast) -> None:
    departure = goes(cast.alice, cast.bob)
    agrees(departure, cast.bob)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    with at_midnight_of(departure.on):
        departing.run()
        assert holder_of(cast.alice.household) == cast.alice
        assert cast.maya.pk in scope_of(cast.alice.user).held_ids


def test_it_is_called_off_or_declined_until_its_day_and_nothing_has_changed(cast: Cast) -> None:
    held = Delegate.objects.create(member=cast.bob, user=cast.alice.user, grant="view", until=dt.date(2031, 1, 1))
    for _way in range(2):
        departure = goes(cast.alice, cast.bob)
        agrees(departure, cast.bob)
        assert Delegate.objects.get(pk=held.pk).until == departure.on - dt.timedelta(days=1)
        if _way:
            agrees(departure, cast.bob, is_yes=False)
        else:
            departures.cancel(departure, scope_of(cast.alice.user), by=cast.alice.user)
        assert Member.objects.get(pk=cast.alice.pk).left_on is None
        assert Delegate.objects.get(pk=held.pk).until == dt.date(2031, 1, 1)
    with at_midnight_of(departure.on):
        assert departing.run() == 0
        with pytest.raises(departures.Refused):
            agrees(departure, cast.bob)


def test_another_day_has_to_be_agreed_to_anew(cast: Cast) -> None:
    departure = goes(cast.alice, cast.bob)
    agrees(departure, cast.bob)
    goes(cast.alice, cast.bob, plans="end")
    assert Departure.objects.get().accepted_at is not None
    goes(cast.alice, cast.bob, days=20)
    assert (Departure.objects.get().accepted_at, Member.objects.get(pk=cast.alice.pk).left_on) == (None, None)


def test_who_is_to_hold_the_account_does_not_leave_it(cast: Cast) -> None:
    goes(cast.alice, cast.bob)
    on = timezone.localdate() + dt.timedelta(days=3)
    with pytest.raises(departures.Refused):
        departures.plan(cast.bob, scope_of(cast.bob.user), cause="moving_out", on=on, by=cast.bob.user)


@pytest.mark.parametrize("why", ["child", "no sign-in", "confidential", "leaving", "stranger", "nobody"])
def test_only_an_adult_who_signs_in_stays_and_is_seen_can_be_asked(cast: Cast, why: str) -> None:
    changes: dict[str, dict[str, object]] = {
        "child": {"birth_date": timezone.localdate() - dt.timedelta(days=17 * 365)}, "no sign-in": {"user": None},
        "confidential": {"confidential_since": timezone.now()},
        "leaving": {"left_on": timezone.localdate() + dt.timedelta(days=40)},
    }  # fmt: skip
    Member.objects.filter(pk=cast.bob.pk).update(**changes.get(why, {}))
    with pytest.raises(departures.Refused):
        goes(cast.alice, {"stranger": cast.charlie, "nobody": None}.get(why, cast.bob))
    if why in changes:
        assert "Bob" not in text_of(prove(Client(), cast.alice.user).get(f"/family/leaving/{cast.alice.pk}/account/"))


def test_what_the_holder_paid_for_others_ends_and_the_own_goes_on(cast: Cast) -> None:
    today = timezone.localdate()
    hers, childs = make_bill(cast.alice, amount_cents=30_000), make_bill(cast.maya, amount_cents=30_000)
    later = make_bill(cast.maya, due_on=today + dt.timedelta(days=30))
    plan = make_plan(cast.alice, [hers, childs])
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya))
    scheduled = make_payment({later: 5_000}, payer=cast.alice.user, status="draft")
    Payment.objects.filter(pk=scheduled.pk).update(scheduled_on=today + dt.timedelta(days=20))
    link = guest_links.ensure(later, guest_links.Purpose.SHARED, user_id=cast.alice.user_id)
    departure = handed_over(cast.alice, cast.bob)
    with at_midnight_of(departure.on):
        assert list(AutopayEnrollment.objects.get(pk=enrollment.pk).members.all()) == [cast.alice]
        assert list(PlanBill.objects.standing().filter(plan=plan).values_list("bill_id", flat=True)) == [hers.pk]
        assert Payment.objects.get(pk=scheduled.pk).status == PaymentStatus.CANCELED
        assert guest_links.opened(guest_links.address(link).rstrip("/").rpartition("/")[2]) is None


def test_what_was_shared_with_the_former_holder_is_shared_no_longer(cast: Cast) -> None:
    uma = User.objects.create_user("uma@example.com")
    grown = add_member(
        cast.alice.household, number="M-UMA", first_name="Uma", last_name="Example", relationship="child", user=uma,
        birth_date=timezone.localdate() - dt.timedelta(days=20 * 365),
    )  # fmt: skip
    Member.objects.filter(pk=grown.pk).update(joined_on=dt.date(2015, 1, 1), seen_by_holder_since=timezone.now())
    Member.objects.filter(pk=cast.maya.pk).update(confidential_since=timezone.now())
    shared, of_the_grown = make_bill(cast.maya), make_bill(grown)
    sharing.set_shared(shared, is_shared=True, actor="user:1")
    assert Bill.objects.visible_to(cast.alice.user).count() == 2
    departure = handed_over(cast.alice, cast.bob)
    with at_midnight_of(departure.on):
        assert not Bill.objects.visible_to(cast.bob.user).exists()
        assert list(Bill.objects.visible_to(uma)) == [of_the_grown]


def test_with_nobody_left_the_account_closes_and_what_is_open_is_still_paid_there(cast: Cast) -> None:
    bill = make_bill(cast.charlie)
    departure = goes(cast.charlie, None)
    page = prove(Client(), cast.charlie.user).get(f"/family/leaving/{cast.charlie.pk}/account/")
    assert "The account closes at midnight" in text_of(page)
    with at_midnight_of(departure.on):
        assert departing.run() == 1
        assert Household.objects.get(pk=cast.charlie.household_id).closed_on == departure.on
        assert bill in Bill.objects.visible_to(cast.charlie.user)
        assert prove(Client(), cast.charlie.user).get("/pay/").status_code == 200
    assert WorkItem.objects.filter(dedupe_key=f"departure:{departure.pk}").count() == 1


def test_where_letters_go_is_asked_of_a_holder_too_and_is_theirs_alone(cast: Cast) -> None:
    on = timezone.localdate()
    client, address = prove(Client(), cast.alice.user), f"/family/leaving/{cast.alice.pk}/account/"
    form = {"cause": "divorce", "last_day": on.isoformat(), "successor": cast.bob.pk, "step": "review"}
    assert client.post(address, form | HER_LETTERS | {"zip": ""}).status_code == 422
    assert "9 Elm Street, Fresno, CA 93650" in text_of(client.post(address, form | HER_LETTERS))
    assert client.post(address, form | HER_LETTERS | {"step": "confirm"}).status_code == 302
    assert client.post(address, form | {"step": "confirm", "cause": "moving_out"}).status_code == 302
    departure = Departure.objects.get()
    assert (departure.letters, departure.cause) == (HER_LETTERS, "moving_out")
    assert "9 Elm Street" not in prove(Client(), cast.bob.user).get("/family/leaving/offers/").content.decode()
    agrees(departure, cast.bob)
    make_bill(cast.alice, issued_on=on.replace(day=1))
    make_bill(cast.maya, issued_on=on.replace(day=1))
    Household.objects.update(is_paperless=False)
    with at_midnight_of(departure.on):
        departing.run()
    month = on.replace(day=1)
    with at_midnight_of((month + dt.timedelta(days=32)).replace(day=1)):
        monthly_statements.issue(month, on=timezone.localdate())
        went = {paper.row[3]: paper.row[4] for paper in paper_statements.of_month(month)}
    assert went == {cast.alice.full_name: "9 Elm Street", cast.bob.full_name: cast.household.address}


def test_of_a_closed_account_letters_go_where_its_last_person_went(cast: Cast) -> None:
    on = timezone.localdate()
    make_bill(cast.charlie, issued_on=on.replace(day=1))
    departure = goes(cast.charlie, None, letters=HER_LETTERS)
    Household.objects.update(is_paperless=False)
    with at_midnight_of(departure.on):
        departing.run()
    month = on.replace(day=1)
    with at_midnight_of((month + dt.timedelta(days=63)).replace(day=1)):
        monthly_statements.issue(month, on=timezone.localdate())
        [paper] = paper_statements.of_month(month)
    assert paper.row[4] == "9 Elm Street"


def test_staff_record_who_holds_the_account_after_a_death(cast: Cast) -> None:
    dana = cast.dana
    bill, childs = make_bill(cast.alice), make_bill(cast.maya)
    departures.record_death(cast.alice, on=timezone.localdate(), by=dana, reason="The certificate.")
    departing.run()
    successions.record_succession(cast.alice, successor=cast.bob, on=timezone.localdate(), by=dana, reason="He agreed.")
    assert holder_of(cast.alice.household) == cast.bob
    seen = Bill.objects.visible_to(cast.bob.user)
    assert childs in seen and bill not in seen
    with pytest.raises(departures.Refused):
        successions.record_succession(cast.alice, successor=cast.bob, on=timezone.localdate(), by=dana, reason="Again.")


def test_staff_record_on_the_members_page_what_both_have_told_them(cast: Cast) -> None:
    on = timezone.localdate() + dt.timedelta(days=5)
    page = f"/admin/accounts/member/{cast.alice.pk}/holder/"
    form = {"on": on.isoformat(), "reason": "Both called us.", "key": "0123456789abcdef"}
    dana = prove(Client(), cast.dana)
    assert "no member of this number" in dana.post(page, form | {"successor": "M-CHARLIE"}).content.decode()
    assert dana.post(page, form | {"successor": "M-BOB"}).status_code == 302
    assert Member.objects.get(pk=cast.alice.pk).left_on == on
    with at_midnight_of(on):
        departing.run()
    assert holder_of(cast.alice.household) == cast.bob


def test_the_database_keeps_one_holder_and_a_yes_of_somebody(cast: Cast) -> None:
    departure = goes(cast.alice, cast.bob)
    for values in ({"successor": None, "accepted_at": timezone.now()}, {"successor": cast.alice}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Departure.objects.filter(pk=departure.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=cast.bob.pk).update(is_primary_holder=True)
