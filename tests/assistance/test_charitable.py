"""Charitable coverage: a payer of its own on the premium, for a year; told ahead of its end; three times at most."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Coverage, Member
from activity.models import Event
from assistance import applying, charity, ending, holding
from assistance.models import Application, Award
from bills import premiums
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from notifications import notices
from notifications.models import Notification
from tests.assistance.asking import approved, draft, sent
from tests.factories import make_bill, make_coverage
from tests.payments.pages import signed_in, text_of


def this_month() -> dt.date:
    return timezone.localdate().replace(day=1)


@pytest.fixture
def coverage(cast):
    """Alice's own plan, $500.00 a month."""
    return make_coverage(cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=this_month())


def owed(coverage, period: dt.date) -> int:
    return Bill.objects.select_related("receivable").get(coverage=coverage, period=period).balance_cents


def test_it_pays_the_premium_of_this_month_and_of_those_to_come(cast, coverage):
    premiums.issue_month(this_month())
    assert owed(coverage, this_month()) == 50_000
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    assert (award.monthly_cents, award.start_on) == (50_000, this_month())
    coverage.refresh_from_db()
    assert (coverage.charitable_cents, coverage.charitable_ends_on) == (50_000, award.end_on)
    assert owed(coverage, this_month()) == 0
    assert Transfer.objects.filter(code=Code.CHARITABLE_SUBSIDY).count() >= 1
    following = premiums.month_after(this_month())
    premiums.issue_month(following)
    assert owed(coverage, following) == 0
    line = Bill.objects.get(coverage=coverage, period=following).lines.get(description="Charitable coverage")
    assert line.amount_cents == -50_000


def test_the_month_after_its_end_is_paid_in_full_by_the_member(cast, coverage):
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    assert award.end_on == this_month().replace(year=this_month().year + 1) - dt.timedelta(days=1)
    after = premiums.month_after(award.end_on)
    premiums.issue_month(after)
    assert owed(coverage, after) == 50_000 == award.premium_afterwards_cents


def test_ended_by_staff_it_pays_this_month_and_no_other(cast, coverage):
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    following = premiums.month_after(this_month())
    premiums.issue_month(following)
    assert charity.end(award, by=cast.dana, reason="Another program pays.", on=timezone.localdate())
    assert not charity.end(award, by=cast.dana, reason="Another program pays.", on=timezone.localdate())
    assert owed(coverage, following) == 50_000
    premiums.issue_month(this_month())
    assert owed(coverage, this_month()) == 0


@pytest.mark.parametrize(
    ("state", "income", "subsidy"), [("CA", 4_000_00, 0), ("OR", 2_000_00, 0), ("CA", 2_000_00, 1)]
)
def test_above_the_limit_elsewhere_or_with_other_help_there_is_none(cast, state, income, subsidy):
    make_coverage(cast.alice, premium_cents=50_000, subsidy_cents=subsidy, start_on=this_month())
    application = sent(cast.alice, income_cents=income, charitable=True)
    application.state = state
    assert charity.coverages(application, income_cents=income * 12, on=timezone.localdate()) == []


def renewed(cast, on: dt.date, *, again: Award) -> Award | None:
    """What an application decided on a day gives after an award, or None."""
    application = sent(cast.alice, income_cents=2_000_00, charitable=True)
    chosen = charity.coverages(application, income_cents=2_400_000, on=on)
    made = [charity.give(application, one, by=cast.dana, on=on) for one in chosen]
    applying.withdraw(application, by=cast.alice.user)
    assert len(made) <= 1 and again not in made
    return made[0] if made else None


def test_renewed_early_a_year_begins_where_the_last_one_ends_three_times_and_no_fourth(cast, coverage):
    """No month is lost by asking when the portal says, and nothing is told of an end that is none."""
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    assert renewed(cast, award.end_on - dt.timedelta(days=91), again=award) is None, "too early"
    years = [award]
    for _year in range(2):
        last = years[-1]
        on = last.end_on - dt.timedelta(days=60)
        assert not last.is_succeeded
        following = renewed(cast, on, again=last)
        assert following is not None and following.start_on == last.end_on + dt.timedelta(days=1)
        assert following.end_on == last.end_on.replace(year=last.end_on.year + 1, day=following.end_on.day)
        coverage.refresh_from_db()
        assert (coverage.charitable_starts_on, coverage.charitable_ends_on) == (award.start_on, following.end_on)
        assert ending.tell(on) == 0, "it goes on"
        years.append(following)
    assert charity.months_had(cast.alice, from_age=21) == 36
    assert renewed(cast, years[-1].end_on - dt.timedelta(days=60), again=award) is None
    assert ending.tell(years[-1].end_on - dt.timedelta(days=60)) == 1

    assert charity.end(years[0], by=cast.dana, reason="Entered twice.", on=years[0].end_on - dt.timedelta(days=40))
    coverage.refresh_from_db()
    assert coverage.charitable_ends_on < years[1].start_on, "a month and more is given by none"
    assert charity.begin_due(years[1].start_on - dt.timedelta(days=20)) == 1
    assert charity.begin_due(years[1].start_on) == 0
    coverage.refresh_from_db()
    assert (coverage.charitable_starts_on, coverage.charitable_ends_on) == (years[1].start_on, years[2].end_on)


def test_months_count_from_the_age_on_once_and_as_far_as_they_went(cast, coverage):
    """What was given to a child, ended early, ended before it began or overlaps takes no year of an adult's."""
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    following = renewed(cast, award.end_on - dt.timedelta(days=60), again=award)
    assert following is not None
    assert charity.end(following, by=cast.dana, reason="Entered by mistake.", on=timezone.localdate())
    assert charity.months_had(cast.alice, from_age=21) == 12
    Award.objects.filter(pk=following.pk).update(revoked_at=None, start_on=award.start_on, end_on=award.end_on)
    following.refresh_from_db()
    assert charity.months_had(cast.alice, from_age=21) == 12
    assert charity.end(award, by=cast.dana, reason="Another program pays.", on=timezone.localdate())
    coverage.refresh_from_db()
    assert coverage.charitable_ends_on == following.end_on, "the other one stands"
    assert charity.end(following, by=cast.dana, reason="Another program pays.", on=timezone.localdate())
    assert charity.months_had(cast.alice, from_age=21) == 1
    coverage.refresh_from_db()
    assert coverage.charitable_ends_on == premiums.month_after(this_month()) - dt.timedelta(days=1)
    born = (this_month() + dt.timedelta(days=1)).replace(year=this_month().year - 21)
    Member.objects.filter(pk=cast.alice.pk).update(birth_date=born)
    cast.alice.refresh_from_db()
    assert charity.months_had(cast.alice, from_age=21) == 0


def test_what_is_asked_for_waits_and_nothing_else(cast):
    """Help with a premium lets the premium wait from its month on, not medical bills; and begins with that month."""
    before = premiums.month_after(this_month() - dt.timedelta(days=40))
    coverage = make_coverage(cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=before)
    premiums.catch_up(coverage)
    make_bill(cast.alice)
    application = draft(cast.alice, income_cents=2_000_00, charitable=True)
    applying.write(application, wants_assistance=False)
    applying.submit(application, signature="Alice Rivera", by=cast.alice.user)
    months = Bill.objects.filter(coverage=coverage, period__gte=this_month())
    assert set(Bill.objects.filter(held_since__isnull=False)) == set(months) != set()
    asked = dt.datetime.combine(before + dt.timedelta(days=9), dt.time(20), tzinfo=dt.UTC)
    Application.objects.filter(pk=application.pk).update(submitted_at=asked)
    assert holding.hold_new() == Bill.objects.filter(coverage=coverage).count() - months.count() > 0
    applying.approve(application, by=cast.dana, reason="Within the limit.")
    assert not Bill.objects.filter(held_since__isnull=False).exists()
    assert (application.awards.get().start_on, owed(coverage, before)) == (before, 0)


def test_months_before_it_began_are_not_its_own(cast):
    """Premiums of before are owed as they were; what an earlier award gave stands, whatever begins after a gap."""
    first = premiums.month_after(this_month() - dt.timedelta(days=100))
    coverage = make_coverage(cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=first)
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    assert (owed(coverage, first), owed(coverage, this_month())) == (50_000, 0)
    Award.objects.filter(pk=award.pk).update(
        start_on=first, end_on=premiums.month_after(first) - dt.timedelta(days=1), monthly_cents=20_000
    )
    Coverage.objects.filter(pk=coverage.pk).update(
        charitable_starts_on=first, charitable_ends_on=award.end_on, charitable_cents=20_000
    )
    premiums.catch_up(Coverage.objects.get(pk=coverage.pk))
    assert owed(coverage, first) == 30_000
    approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True)
    assert (owed(coverage, first), owed(coverage, this_month())) == (30_000, 0)


def test_its_end_is_told_ninety_sixty_and_thirty_days_ahead_once_each(cast, coverage):
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    Award.objects.exclude(pk=award.pk).update(revoked_at=timezone.now())
    told = [
        days
        for days in range(100, -1, -1)
        for _twice in range(2)
        if ending.tell(award.end_on - dt.timedelta(days=days))
    ]
    assert told == [90, 60, 30]
    kinds = list(Event.objects.filter(kind__startswith="charitable.").order_by("pk").values_list("kind", flat=True))
    assert kinds == [
        "charitable.given",
        "charitable.ends",
        "charitable.ends",
        "charitable.renewal_due",
        "charitable.ends",
    ]


def test_a_day_that_was_missed_is_made_up_for(cast, coverage):
    award = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True).awards.get(kind="charitable")
    Award.objects.exclude(pk=award.pk).update(revoked_at=timezone.now())
    assert ending.tell(award.end_on - dt.timedelta(days=55)) == 1
    assert Event.objects.get(kind="charitable.ends").data["days"] == 60


def test_without_anything_to_give_it_is_not_approved(cast):
    application = sent(cast.alice, income_cents=90_000_00, charitable=True)
    with pytest.raises(applying.Refused):
        applying.approve(application, by=cast.dana, reason="Nothing to give.")


def test_of_the_premium_of_who_is_apart_by_now_the_applicant_reads_nothing(cast):
    """Its award goes on; that it ends, and what the premium is afterwards, is told and shown to the holder no more."""
    make_coverage(cast.bob, premium_cents=50_000, start_on=this_month())
    application = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True)
    award = application.awards.get(kind="charitable")
    alice, pages = signed_in(cast.alice), ("/assistance/", f"/assistance/applications/{application.number}/")
    assert all("$500.00" in text_of(alice.get(page)) for page in pages)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert not any("$500.00" in text_of(alice.get(page)) for page in pages)
    assert ending.tell(award.end_on - dt.timedelta(days=90)) == 1
    assert charity.end(award, by=cast.dana, reason="Another program pays.", on=timezone.localdate())
    notices.make()
    assert not Notification.objects.filter(user=cast.alice.user, kind__in=("subsidy_ends", "help_ended")).exists()
    assert "Another program pays." not in "".join(text_of(alice.get(page)) for page in pages)
