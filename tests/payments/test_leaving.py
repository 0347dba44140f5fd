"""Leaving a household: planned with everything it means, called off until its day, settled once on it (FAULTS F17)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import delegates, departures
from accounts.models import Delegate, Departure, Invitation, Member
from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills.models import Bill, Hold, Statement
from payments import departing, guest_links, guests, monthly_statements, paper_statements, parting, sharing
from payments.autopay import changing
from payments.models import AutopayEnrollment, GuestLink, MethodShare, Payment, PaymentMethod, PlanBill
from payments.states import PaymentStatus
from payments.tasks import part_ways
from tests.access.conftest import prove
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.autopay.making import announced, enrolled, make_card, make_terms, stands
from tests.payments.guest_pages import facts_of
from tests.payments.pages import text_of
from tests.payments.plans.making import make_plan

Bills = Departure.Bills
IN_TEN_DAYS = 10
HER_LETTERS = {"address": "9 Elm Street", "city": "Fresno", "state": "CA", "zip": "93650"}


@contextmanager
def at_midnight_of(day: dt.date, *, before: bool = False) -> Iterator[None]:
    """The first second of a day by the portal's clock, or the last one before it."""
    midnight = timezone.make_aware(dt.datetime.combine(day, dt.time.min))
    with time_machine.travel(midnight - dt.timedelta(seconds=1 if before else -1), tick=False):
        yield


def leaves(member: Member, by: Member, *, days: int = IN_TEN_DAYS, **chosen: str) -> Departure:
    """Plan that a member leaves in so many days."""
    assert by.user is not None
    letters = None if member.user else HER_LETTERS
    on = timezone.localdate() + dt.timedelta(days=days)
    return departures.plan(member, scope_of(by.user), cause="moving_out", on=on, letters=letters, by=by.user, **chosen)


def settle(departure: Departure) -> int:
    """What the first run on its day does."""
    with at_midnight_of(departure.on):
        settled = departing.run()
        part_ways()
    return settled


def test_the_wizard_shows_what_happens_asks_for_a_review_and_then_it_stands(cast: Cast) -> None:
    make_bill(cast.bob, amount_cents=12_345)
    enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.bob))
    client = prove(Client(), cast.alice.user)
    address = f"/family/leaving/{cast.bob.pk}/"
    page = text_of(client.get(address))
    assert "$123.45" in page and "Your autopay no longer pays for Bob" in page
    last = timezone.localdate() + dt.timedelta(days=3)
    form = {"cause": "divorce", "last_day": last.isoformat(), "step": "review"}
    assert "Nothing has changed yet" in text_of(client.post(address, form))
    assert not Departure.objects.exists()
    assert client.post(address, form | {"step": "confirm"}).status_code == 302
    assert client.post(address, form | {"step": "confirm"}).status_code == 302
    planned = Departure.objects.get()
    assert (planned.on, planned.cause) == (last + dt.timedelta(days=1), "divorce")
    assert Member.objects.get(pk=cast.bob.pk).left_on == planned.on
    assert Event.objects.filter(kind__startswith="departure.").count() == 1
    assert "Call it off" in text_of(client.get(address))


def test_sight_ends_at_midnight_and_not_a_second_before(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    departure = leaves(cast.bob, cast.alice)
    with at_midnight_of(departure.on, before=True):
        assert bill in Bill.objects.visible_to(cast.alice.user)
    with at_midnight_of(departure.on):
        assert bill not in Bill.objects.visible_to(cast.alice.user)
        assert bill in Bill.objects.visible_to(cast.bob.user)


def test_it_can_be_called_off_until_its_day_and_nothing_has_changed(cast: Cast) -> None:
    held = Delegate.objects.create(member=cast.bob, user=cast.alice.user, grant="view", until=dt.date(2031, 1, 1))
    departure = leaves(cast.bob, cast.alice)
    held.refresh_from_db()
    assert held.until == departure.on - dt.timedelta(days=1)
    assert departing.run() == 0
    prove(Client(), cast.bob.user).post(f"/family/leaving/{cast.bob.pk}/cancel/")
    held.refresh_from_db()
    assert (Member.objects.get(pk=cast.bob.pk).left_on, held.until) == (None, dt.date(2031, 1, 1))
    assert settle(departure) == 0


def test_it_cannot_be_called_off_once_the_day_has_come(cast: Cast) -> None:
    departure = leaves(cast.bob, cast.bob)
    with at_midnight_of(departure.on), pytest.raises(departures.Refused):
        departures.cancel(departure, scope_of(cast.bob.user), by=cast.bob.user)


def test_the_holder_neither_calls_off_nor_moves_what_the_other_planned(cast: Cast) -> None:
    departure = leaves(cast.bob, cast.bob)
    with pytest.raises(departures.Refused):
        departures.cancel(departure, scope_of(cast.alice.user), by=cast.alice.user)
    with pytest.raises(departures.Refused):
        leaves(cast.bob, cast.alice, days=40)


def test_another_adults_bills_are_theirs_to_show(cast: Cast) -> None:
    with pytest.raises(departures.Refused):
        leaves(cast.bob, cast.alice, bills=Bills.HOLDER)
    leaves(cast.bob, cast.bob, bills=Bills.HOLDER)
    leaves(cast.bob, cast.alice)
    assert Departure.objects.get().bills == Bills.HOLDER


@pytest.mark.parametrize("chosen", [Bills.THEIRS, Bills.HOLDER])
def test_bills_open_by_then_stay_with_the_holder_only_where_the_person_chose_that(cast: Cast, chosen: str) -> None:
    bill = make_bill(cast.bob, issued_on=timezone.localdate(), due_on=timezone.localdate() + dt.timedelta(days=20))
    departure = leaves(cast.bob, cast.bob, bills=chosen)
    settle(departure)
    with at_midnight_of(departure.on):
        later = make_bill(cast.bob, issued_on=departure.on, due_on=departure.on + dt.timedelta(days=20))
        seen = Bill.objects.visible_to(cast.alice.user)
        assert ((bill in seen), (later in seen)) == (chosen == Bills.HOLDER, False)


def test_autopay_goes_on_for_the_others_and_charges_nothing_for_who_left(cast: Cast) -> None:
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.bob))
    of_bob, of_alice = announced(enrollment, cast.bob, days=20), announced(enrollment, cast.alice, days=20)
    settle(leaves(cast.bob, cast.alice))
    assert (stands(of_bob), stands(of_alice)[0]) == (("not_needed", "not_yours"), "announced")
    enrollment.refresh_from_db()
    assert (list(enrollment.members.all()), enrollment.status) == ([cast.alice], "active")
    changing.leave_out(enrollment, cast.alice, actor="system", code="parted")
    assert AutopayEnrollment.objects.get(pk=enrollment.pk).status == "ended"


def test_bills_leave_the_holders_plan_with_time_to_pay_and_the_rest_goes_on(cast: Cast) -> None:
    bob, alice = make_bill(cast.bob, amount_cents=20_000), make_bill(cast.alice, amount_cents=20_000)
    plan = make_plan(cast.alice, [bob, alice])
    departure = leaves(cast.bob, cast.alice)
    settle(departure)
    assert list(PlanBill.objects.standing().values_list("bill_id", flat=True)) == [alice.pk]
    bob.refresh_from_db()
    assert (bob.on_plan_since, bob.due_on) == (None, departure.on + dt.timedelta(days=21))
    plan.refresh_from_db()
    assert plan.status == "active"
    assert sum(plan.installments.standing().values_list("amount_cents", flat=True)) == 20_000


def test_a_plan_ends_where_its_owner_chose_that(cast: Cast) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.bob, amount_cents=20_000), make_bill(cast.alice, amount_cents=20_000)])
    settle(leaves(cast.bob, cast.alice, plans="end"))
    plan.refresh_from_db()
    assert (plan.status, plan.ended_code) == ("ended", "parted")
    assert not Bill.objects.filter(on_plan_since__isnull=False).exists()


def test_what_is_scheduled_is_called_off_and_what_is_on_its_way_settles(cast: Cast) -> None:
    bill = make_bill(cast.bob, amount_cents=20_000)
    planned = make_payment({bill: 5_000}, payer=cast.alice.user, status=PaymentStatus.DRAFT)
    Payment.objects.filter(pk=planned.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=20))
    on_its_way = make_payment({bill: 6_000}, payer=cast.alice.user, status=PaymentStatus.PROCESSING)
    settle(leaves(cast.bob, cast.alice))
    stand = dict(Payment.objects.values_list("pk", "status"))
    assert (stand[planned.pk], stand[on_its_way.pk]) == ("canceled", "processing")
    assert parting.part_ways() == 0


def test_methods_are_no_longer_lent_from_that_midnight_on(cast: Cast) -> None:
    card = make_card(cast.alice)
    sharing.share(card, member=cast.bob)
    departure = leaves(cast.bob, cast.alice)
    assert card in PaymentMethod.objects.visible_to(cast.bob.user)
    with at_midnight_of(departure.on):
        assert card not in PaymentMethod.objects.visible_to(cast.bob.user)  # before any task has run
    settle(departure)
    assert MethodShare.objects.get().ended_reason == "left the household"


def test_what_the_two_held_for_one_another_ends_and_an_adults_own_helper_stays(cast: Cast) -> None:
    given = Delegate.objects.create(member=cast.bob, user=cast.alice.user, grant="full")
    taken = Delegate.objects.create(member=cast.alice, user=cast.bob.user, grant="full")
    own = Delegate.objects.create(member=cast.bob, user=cast.charlie.user, grant="view")
    departure = leaves(cast.bob, cast.alice)
    with at_midnight_of(departure.on):
        assert cast.bob.pk not in scope_of(cast.alice.user).member_ids
        assert cast.alice.pk not in scope_of(cast.bob.user).member_ids
    settle(departure)
    ended = set(Delegate.objects.filter(ended_at__isnull=False).values_list("pk", flat=True))
    assert ended == {given.pk, taken.pk}
    assert Delegate.objects.in_force(departure.on).get() == own


def test_an_invitation_neither_survives_a_leaving_nor_outlasts_one(cast: Cast) -> None:
    """Accepted before the day, it ends with that midnight; from then on it is nobody's to accept."""
    assert cast.alice.user and cast.charlie.user
    asked = [
        delegates.invite(member, address=address, grant="pay_only", until=None, by=member.user or cast.alice.user,
                         language="en")
        for member, address in (
            (cast.maya, "charlie@example.com"), (cast.maya, "dana@example.com"), (cast.bob, "charlie@example.com"),
            (cast.alice, "bob@example.com"),
        )
    ]  # fmt: skip
    departure, his = leaves(cast.maya, cast.alice), leaves(cast.bob, cast.alice)
    given = delegates.accept(asked[0], user=cast.charlie.user)
    assert scope_of(cast.charlie.user).grants == {cast.maya.pk: "pay_only"}
    given.refresh_from_db()
    assert given.until == departure.on - dt.timedelta(days=1)
    departures.cancel(departure, scope_of(cast.alice.user), by=cast.alice.user)
    given.refresh_from_db()
    assert given.until is None
    departure = leaves(cast.maya, cast.alice)
    with at_midnight_of(departure.on):
        assert scope_of(cast.charlie.user).grants == {}
        with pytest.raises(delegates.Refused):
            delegates.accept(asked[1], user=cast.dana)
    settle(departure), settle(his)
    assert list(Invitation.objects.filter(ended_at__isnull=True, delegate=None)) == [asked[2]], "an adult's own stays"


def test_a_link_that_the_holder_made_opens_nothing_from_that_midnight_on(cast: Cast) -> None:
    """Sent or printed before, it would let the holder in by another door."""
    bill = make_bill(cast.bob)
    links = [guest_links.ensure(bill, GuestLink.Purpose.STATEMENT, user_id=each.user_id or 0) for each in (cast.alice,)]
    links.append(guest_links.reissue(bill, user_id=cast.bob.user_id or 0))
    GuestLink.objects.update(revoked_at=None)
    departure = leaves(cast.bob, cast.alice, days=5)
    with at_midnight_of(departure.on):
        assert list(GuestLink.objects.live(timezone.now())) == links[1:]


def test_a_bill_from_before_no_longer_opens_by_its_facts_unless_it_is_shared(cast: Cast) -> None:
    """The holder has seen its number and knows the birth date."""
    bill = make_bill(cast.bob)
    facts = facts_of(bill)
    departure = leaves(cast.bob, cast.alice, days=5)
    with at_midnight_of(departure.on, before=True):
        assert guests.find(facts) == bill.pk
    with at_midnight_of(departure.on):
        later = make_bill(cast.bob)
        assert (guests.find(facts), guests.find(facts_of(later))) == (None, later.pk)
        Bill.objects.filter(pk=bill.pk).update(shared_at=timezone.now())
        assert guests.find(facts) == bill.pk


def test_it_is_settled_once_and_told_once(cast: Cast) -> None:
    departure = leaves(cast.bob, cast.alice)
    assert (settle(departure), settle(departure)) == (1, 0)
    with at_midnight_of(departure.on):
        assert not departing.settle(departure.pk)  # another worker had it in its list too
    assert Event.objects.filter(kind="departure.done").count() == 1


def test_two_who_leave_have_each_their_own_departure(cast: Cast) -> None:
    departure, other = leaves(cast.bob, cast.bob), leaves(cast.maya, cast.alice)
    assert {each.member_id for each in Departure.objects.all()} == {cast.bob.pk, cast.maya.pk}
    assert leaves(cast.bob, cast.bob, days=3).pk == departure.pk != other.pk
    assert Departure.objects.get(pk=other.pk).on == other.on


@pytest.fixture
def broken(real_cast: Cast) -> Iterator[Departure]:
    """A departure that the database refuses to close."""
    departure = leaves(real_cast.bob, real_cast.bob)
    refusal = f"ADD CONSTRAINT broken CHECK (id <> {departure.pk} OR done_at IS NULL)"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE accounts_departure {refusal}")
    yield departure
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_departure DROP CONSTRAINT broken")


def test_one_that_cannot_be_settled_keeps_no_other(real_cast: Cast, broken: Departure) -> None:
    other = leaves(real_cast.maya, real_cast.alice)
    assert settle(broken) == 1
    assert list(Departure.objects.filter(done_at__isnull=False)) == [other]


def test_staff_are_asked_to_reach_who_left_without_a_sign_in(cast: Cast) -> None:
    make_bill(cast.maya)
    on = timezone.localdate() + dt.timedelta(days=IN_TEN_DAYS)
    settle(departures.record_leaving(cast.maya, cause="moving_out", on=on, by=cast.dana, reason="Moved."))
    assert WorkItem.objects.get().kind == WorkItem.Kind.DEPARTURE


def test_a_holder_tells_of_a_death_and_nothing_changes_until_staff_record_it(cast: Cast) -> None:
    client = prove(Client(), cast.alice.user)
    assert client.post(f"/family/leaving/{cast.bob.pk}/death/").status_code == 302
    assert Member.objects.get(pk=cast.bob.pk).died_on is None
    assert WorkItem.objects.get().subject == f"member:{cast.bob.number}"


def test_after_a_death_bills_wait_and_nothing_is_charged_or_opened(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    own = enrolled(cast.bob)
    charge = announced(own, cast.bob)
    Delegate.objects.create(member=cast.bob, user=cast.charlie.user, grant="full")
    departures.record_death(cast.bob, on=timezone.localdate(), by=cast.dana, reason="certificate")
    assert (departing.run(), departing.run()) == (1, 0)
    assert Hold.objects.standing().filter(bill=bill, cause=Hold.Cause.DECEASED).exists()
    assert stands(charge) == ("not_needed", "off")
    cast.bob.user.refresh_from_db()
    assert not cast.bob.user.is_active
    assert not Delegate.objects.filter(ended_at__isnull=True).exists()
    later = make_bill(cast.bob)
    departing.run()
    later.refresh_from_db()
    assert later.held_since is not None
    departures.undo_death(cast.bob, by=cast.dana, reason="another person")
    departing.run()
    assert not Hold.objects.standing().exists()
    cast.bob.user.refresh_from_db()
    assert cast.bob.user.is_active


def test_who_turns_18_is_foreseen_once_and_settled_on_the_birthday(cast: Cast) -> None:
    """The same as leaving, by itself: autopay for the child ends, and what a parent granted."""
    today = timezone.localdate()
    born = today.replace(year=today.year - 18) + dt.timedelta(days=20)
    Member.objects.filter(pk=cast.bob.pk).update(birth_date=born, joined_on=today - dt.timedelta(days=400))
    cast.bob.refresh_from_db()
    helper = Delegate.objects.create(member=cast.bob, user=cast.charlie.user, grant="view")
    asked = Invitation.objects.create(
        member=cast.bob, address="eve@example.com", grant="view", invited_by=cast.alice.user,  # type: ignore[misc]
        expires_at=timezone.now() + dt.timedelta(days=30),
    )  # fmt: skip
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.bob))
    assert (departures.foresee_all(today), departures.foresee_all(today)) == (1, 0)
    departure = Departure.objects.get()
    assert departure.on == born.replace(year=born.year + 18)
    assert settle(departure) == 1
    assert list(enrollment.members.all()) == [cast.alice]
    helper.refresh_from_db(), asked.refresh_from_db()
    assert helper.ended_at is not None and asked.ended_at is not None


def test_where_letters_go_is_asked_for_and_needed_without_a_sign_in(cast: Cast) -> None:
    """Whole, seen by that person and staff alone: the holder who wrote it does not read it again, nor does a mail."""
    client, address = prove(Client(), cast.alice.user), f"/family/leaving/{cast.maya.pk}/"
    last = timezone.localdate() + dt.timedelta(days=3)
    form = {"cause": "moving_out", "last_day": last.isoformat(), "bills": "theirs", "step": "review"}
    assert client.post(address, form).status_code == 422
    for wrong in ({"zip": "9365"}, {"state": "California"}, {"city": ""}):
        assert client.post(address, form | HER_LETTERS | wrong).status_code == 422, wrong
    assert "9 Elm Street, Fresno, CA 93650" in text_of(client.post(address, form | HER_LETTERS | {"state": "ca"}))
    assert client.post(address, form | HER_LETTERS | {"step": "confirm"}).status_code == 302
    assert Departure.objects.get().letters == HER_LETTERS
    assert "Elm Street" not in client.get(address).content.decode()
    assert client.post(address, form | {"step": "confirm", "cause": "divorce"}).status_code == 302
    assert (Departure.objects.get().letters, Departure.objects.get().cause) == (HER_LETTERS, "divorce")
    assert not any("Elm" in str(event.data) for event in Event.objects.all())
    his = prove(Client(), cast.bob.user)
    his.post(f"/family/leaving/{cast.bob.pk}/", form | HER_LETTERS | {"step": "confirm"})
    assert "Elm Street" in his.get(f"/family/leaving/{cast.bob.pk}/").content.decode()
    assert "Elm Street" not in client.get(f"/family/leaving/{cast.bob.pk}/").content.decode()
    record = prove(Client(), cast.dana).get(f"/admin/accounts/member/{cast.maya.pk}/change/")
    assert "9 Elm Street" in record.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        Departure.objects.filter(member=cast.maya).update(zip="")


def test_who_left_has_a_statement_of_their_own_by_post_to_where_they_said(cast: Cast) -> None:
    """None of theirs goes to the household's address, and none at all once they are confidential."""
    today = timezone.localdate()
    first = (today.replace(day=1) + dt.timedelta(days=62)).replace(day=1)  # the month after next
    month = (first - dt.timedelta(days=1)).replace(day=1)
    make_bill(cast.maya, title="Hers now", issued_on=today, due_on=today)
    make_bill(cast.alice, title="The holder's", issued_on=today, due_on=today)
    settle(leaves(cast.maya, cast.alice))
    with at_midnight_of(first):
        monthly_statements.issue(month, on=first)
        statements = {each.member_id: each for each in Statement.objects.filter(household=cast.household)}
        assert set(statements) == {None, cast.maya.pk}
        assert {bill["title"] for bill in statements[None].content["bills"]} == {"The holder's"}
        papers = {paper.row[1]: paper.row for paper in paper_statements.of_month(month)}
        assert papers[statements[cast.maya.pk].number][4:8] == tuple(HER_LETTERS.values())
        Member.objects.filter(pk=cast.maya.pk).update(confidential_since=timezone.now())
        assert statements[cast.maya.pk].number not in {paper.row[1] for paper in paper_statements.of_month(month)}
