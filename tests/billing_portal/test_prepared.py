"""Prepared queries answer what the queryset would, for any value, and refuse to keep what depends on one."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import Delegate, Member
from accounts.visibility import Scope, scope_of
from billing_portal.prepared import NotPrepared, Prepared, prepared
from tests.conftest import Cast


@prepared
def seen(scope: Scope) -> QuerySet[Member]:
    return Member.objects.visible_to(scope).select_related("household", "user").order_by("pk")


@prepared
def born(since: dt.date | None, ids: Collection[int], *, count: int) -> QuerySet[Member, tuple[str]]:
    found = Member.objects.filter(pk__in=ids) if since is None else Member.objects.filter(birth_date__gte=since)
    return found.order_by("number").values_list("number")[:count]


def test_each_viewer_gets_their_own_rows_whoever_asked_first(cast: Cast) -> None:
    """FAULTS M08: nothing of one viewer is kept for another."""
    people = [cast.alice, cast.charlie, cast.bob, cast.alice]
    for person in people:
        scope = scope_of(person.user)
        plain = list(Member.objects.visible_to(scope).order_by("pk"))
        assert seen(scope) == plain
        assert [each.household for each in seen(scope)] == [each.household for each in plain]
    assert {member.pk for member in seen(scope_of(cast.bob.user))} == {cast.bob.pk}


def test_it_finds_what_was_granted_and_what_is_confidential(cast: Cast) -> None:
    Delegate.objects.create(member=cast.charlie, user=cast.alice.user, grant="view")
    Delegate.objects.create(member=cast.bob, user=cast.charlie.user, grant="pay_only")
    for person in (cast.alice, cast.charlie):
        scope = scope_of(person.user)
        assert seen(scope) == list(Member.objects.visible_to(scope).order_by("pk"))
    assert len(seen(scope_of(cast.charlie.user))) == 2


def test_nobody_sees_nothing_and_the_database_is_not_asked(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert seen(Scope()) == []
    assert len(asked) == 0


def test_it_is_one_query_with_the_sql_of_the_queryset(cast: Cast) -> None:
    scope = scope_of(cast.bob.user)
    with CaptureQueriesContext(connection) as asked:
        seen(scope)
        list(seen.build(scope))
    assert asked[0]["sql"] == asked[1]["sql"]


def test_none_empty_and_constants_each_have_sql_of_their_own(cast: Cast) -> None:
    assert born(None, [cast.bob.pk, cast.alice.pk], count=5) == [("M-ALICE",), ("M-BOB",)]
    assert born(None, [cast.maya.pk], count=5) == [("M-MAYA",)]
    assert born(None, [], count=5) == []
    assert born(dt.date(2000, 1, 1), [], count=5) == [("M-BOB",), ("M-MAYA",)]
    assert born(dt.date(2010, 1, 1), [], count=5) == [("M-MAYA",)]
    assert born(dt.date(2000, 1, 1), [], count=1) == [("M-BOB",)]


def test_another_day_is_not_answered_with_the_first(cast: Cast) -> None:
    """The values of the call that was prepared first are in no gap and in no constant."""
    since = Prepared(lambda day: Member.objects.filter(birth_date__gte=day).values_list("pk", flat=True))
    assert set(since(dt.date(2015, 1, 1))) == {cast.maya.pk}
    assert set(since(dt.date(2000, 1, 1))) == {cast.bob.pk, cast.maya.pk}


@pytest.mark.parametrize(
    "build",
    [
        lambda day: Member.objects.filter(birth_date__gte=day + dt.timedelta(days=1)),
        lambda day: Member.objects.filter(birth_date__gte=day.replace(day=1)),
        lambda day: Member.objects.filter(birth_date__year=day.year),
        lambda day: Member.objects.all()[: day.day + day.year],
    ],
    ids=["a day later", "the month's first", "the year", "a slice"],
)
def test_what_is_derived_from_a_value_is_refused(cast: Cast, build: object) -> None:
    with pytest.raises(NotPrepared):
        Prepared(build)(dt.date(2026, 11, 24))  # type: ignore[arg-type]


def test_a_set_that_stands_for_one_value_is_refused(cast: Cast) -> None:
    with pytest.raises(NotPrepared):
        Prepared(lambda ids: Member.objects.filter(pk=next(iter(ids))))({cast.bob.pk})


def test_a_prefetch_is_refused(cast: Cast) -> None:
    with pytest.raises(NotPrepared):
        Prepared(lambda pk: Member.objects.filter(pk=pk).prefetch_related("delegates"))(cast.bob.pk)


def test_whether_something_holds_is_no_value(cast: Cast) -> None:
    with pytest.raises(NotPrepared):
        Prepared(lambda flag: Member.objects.filter(is_primary_holder=flag))(True)


def test_a_scope_with_more_people_gets_a_longer_list(cast: Cast) -> None:
    alice = scope_of(cast.alice.user)
    wider = replace(alice, held_ids=alice.held_ids | {cast.charlie.pk})
    assert len(seen(wider)) == len(seen(alice)) + 1
