"""The premiums page: coverages to choose, months due, subsidies, paying ahead."""

import datetime as dt

from django.test import Client
from django.utils import timezone

from accounts.models import Delegate
from bills import premiums
from bills.models import Bill
from tests.bills.test_pages import signed_in, text
from tests.conftest import Cast
from tests.factories import make_coverage, make_delegate


def test_the_months_due_are_there_to_choose(cast: Cast) -> None:
    """Each month with its amount after the subsidy, and what a month costs."""
    coverage = make_coverage(cast.alice, cast.bob, cast.maya, subsidy_cents=12_000, charitable_cents=5_000)
    bills = premiums.issue_ahead(coverage, through=premiums.month_after(timezone.localdate()))
    page = text(signed_in(cast.alice), "/premiums/")
    for bill in bills:
        assert f'name="bill" value="{bill.number}"' in page
    for words in ("$530.76", "− $120.00", "− $50.00", "$360.76", "Family Silver 70", "Bob Rivera", "Maya Rivera"):
        assert words in page


def test_a_coverage_is_chosen_among_those_seen(cast: Cast) -> None:
    """Family and Medigap; the bills of the chosen one alone."""
    family = make_coverage(cast.alice, cast.bob)
    medigap = make_coverage(cast.alice, kind="medigap", plan_name="Medigap G", premium_cents=14_000)
    (of_family,) = premiums.issue_ahead(family, through=timezone.localdate())
    (of_medigap,) = premiums.issue_ahead(medigap, through=timezone.localdate())
    client = signed_in(cast.alice)
    page = text(client, f"/premiums/?coverage={medigap.pk}")
    assert of_medigap.number in page and of_family.number not in page and "Medigap G" in page
    assert of_family.number in text(client, f"/premiums/?coverage={family.pk}")
    text(client, "/premiums/?coverage=999999999", 404)
    text(client, "/premiums/?coverage=abc", 404)
    assert "No coverage to show" in text(signed_in(cast.bob), "/premiums/")


def test_months_ahead_are_issued_on_request_and_once(cast: Cast) -> None:
    """Three months ahead, pressed twice: four bills, ready to be paid."""
    coverage = make_coverage(cast.alice)
    through = timezone.localdate().replace(day=1)
    for _month in range(3):
        through = premiums.month_after(through)
    client = signed_in(cast.alice)
    for _press in range(2):
        answer = client.post(f"/premiums/{coverage.pk}/ahead/", {"through": through.isoformat()})
        assert answer.status_code == 302
    assert Bill.objects.filter(coverage=coverage).count() == 4
    assert text(client, "/premiums/").count('name="bill"') == 4


def test_nothing_is_issued_beyond_a_year_or_the_coverages_end(cast: Cast) -> None:
    """A forged month is no choice, and issues nothing."""
    today = timezone.localdate()
    coverage = make_coverage(cast.alice, end_on=today + dt.timedelta(days=40))
    client = signed_in(cast.alice)
    for through in ("2199-01-01", "2000-01-01", "x", "", (today + dt.timedelta(days=120)).replace(day=1).isoformat()):
        client.post(f"/premiums/{coverage.pk}/ahead/", {"through": through})
    assert not Bill.objects.filter(coverage=coverage).exists()


def test_only_who_may_pay_issues_ahead(cast: Cast) -> None:
    """Neither Bob, whom the coverage covers, nor a delegate who may only look, who is not offered it either."""
    coverage = make_coverage(cast.alice, cast.bob)
    through = premiums.month_after(timezone.localdate()).isoformat()
    looks = Client()
    looks.force_login(make_delegate(cast.alice, "erin@example.com", Delegate.Grant.VIEW))
    for client in (signed_in(cast.bob), looks):
        assert client.post(f"/premiums/{coverage.pk}/ahead/", {"through": through}).status_code == 404
    assert "Family Silver 70" in (page := text(looks, "/premiums/")) and "Pay ahead" not in page
    assert not Bill.objects.filter(coverage=coverage).exists()
