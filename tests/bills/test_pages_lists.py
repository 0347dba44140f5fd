"""The list of bills: filters, pages by keyset, cursors good for their reader alone (FAULTS F02, F05, I16)."""

import datetime as dt
import re
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from bills import issuing, premiums
from bills.models import Bill
from payments.states import PaymentStatus
from tests.bills.test_pages import signed_in, text
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_many_bills, make_payment

NUMBER = re.compile(r'class="bill__title" href="/bills/([^/]+)/"')


def numbers(page: str) -> list[str]:
    return NUMBER.findall(page)


def follow(client: Client, page: str, rel: str) -> str | None:
    link = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    return text(client, f"/bills/{unescape(link[1])}") if link else None


def test_pages_run_through_all_bills_once_and_back(cast: Cast) -> None:
    """Fifty bills, some due on the same day: each once, forwards and backwards."""
    make_many_bills(cast.maya, 40)
    make_many_bills(cast.alice, 10)
    client = signed_in(cast.alice)
    there: list[list[str]] = []
    page: str | None = text(client, "/bills/")
    last = ""
    while page:
        there.append(numbers(page))
        last, page = page, follow(client, page, "next")
    assert [len(each) for each in there] == [20, 20, 10]
    flat = [number for each in there for number in each]
    assert flat == list(Bill.objects.order_by("-due_on", "-id").values_list("number", flat=True))
    back = [numbers(last)]
    page = follow(client, last, "prev")
    while page:
        back.append(numbers(page))
        page = follow(client, page, "prev")
    assert back[::-1] == there


def test_a_cursor_of_anothers_gives_nothing_of_theirs(cast: Cast) -> None:
    """Alice's cursor in Charlie's or Bob's hands: their own first page."""
    make_many_bills(cast.maya, 30)
    cursor = re.search(r'href="([^"]+)" rel="next"', text(signed_in(cast.alice), "/bills/"))
    assert cursor is not None
    his = make_bill(cast.charlie)
    assert numbers(text(signed_in(cast.charlie), f"/bills/{unescape(cursor[1])}")) == [his.number]
    assert numbers(text(signed_in(cast.bob), f"/bills/{unescape(cursor[1])}")) == []


@pytest.mark.parametrize("cursor", ["x", "'; DROP TABLE", "eyJhIjoxfQ", "%00", "W10:1:2", "a:b:c" * 200])
def test_a_made_up_cursor_is_the_first_page(cast: Cast, cursor: str) -> None:
    """Never an error, never another order."""
    bill = make_bill(cast.alice)
    assert numbers(text(signed_in(cast.alice), f"/bills/?page={cursor}")) == [bill.number]


def test_filters_narrow_the_list(cast: Cast) -> None:
    """Person, kind, state, dates, provider, amount: each alone."""
    today = timezone.localdate()
    late = make_bill(cast.maya, due_on=today - dt.timedelta(days=40), provider_name="Lakeside Therapy")
    open_bill = make_bill(cast.bob, amount_cents=99_900, due_on=today + dt.timedelta(days=40), lines=())
    waiting, paid = make_bill(cast.alice), make_bill(cast.alice)
    make_payment({waiting: 100}, payer=cast.alice.user, status=PaymentStatus.PROCESSING)
    make_payment({paid: 18_500}, payer=cast.alice.user)
    void, held = make_bill(cast.alice), make_bill(cast.alice)
    issuing.void(void, on=today, reason="wrong", actor="staff")
    Bill.objects.filter(pk=held.pk).update(held_since=timezone.now())
    (premium,) = premiums.issue_ahead(make_coverage(cast.alice), through=today)
    client = signed_in(cast.alice)

    def found(query: str) -> set[str]:
        return set(numbers(text(client, f"/bills/?{query}")))

    everything = {each.number for each in (late, open_bill, waiting, paid, void, held, premium)}
    assert found("") == everything
    assert found(f"person={cast.maya.pk}") == {late.number}
    assert found("kind=premium") == {premium.number}
    assert found("state=open") == {late.number, open_bill.number, waiting.number, premium.number}
    assert found("state=past_due") == {late.number}
    assert found("state=processing") == {waiting.number}
    assert found("state=paid") == {paid.number}
    assert found("state=under_review") == {held.number}
    assert found("state=void") == {void.number}
    assert found(f"until={today - dt.timedelta(days=1)}") == {late.number}
    assert found(f"since={today + dt.timedelta(days=30)}") == {open_bill.number}
    assert found("provider=lakeside") == {late.number}
    assert found("least=999") == {open_bill.number}
    assert found("most=185.00&kind=medical&state=paid") == {paid.number}


@pytest.mark.parametrize(
    "query", ["least=1e5", "least=%EF%BC%91", "since=2026-02-30", "state=owed", "person=abc", "kind=x", "most=-5"]
)
def test_a_filter_that_makes_no_sense_is_told_and_finds_nothing(cast: Cast, query: str) -> None:
    """The page says which field (FAULTS I02, I04, I12)."""
    bill = make_bill(cast.alice)
    page = text(signed_in(cast.alice), f"/bills/?{query}")
    assert bill.number not in page and "ds-c-inline-error" in page


def test_a_filter_by_somebody_not_seen_is_no_choice(cast: Cast) -> None:
    """Charlie's id finds nothing for Alice and names nobody (FAULTS F02)."""
    make_bill(cast.charlie)
    page = text(signed_in(cast.alice), f"/bills/?person={cast.charlie.pk}")
    assert numbers(page) == [] and "Charlie" not in page and "Novak" not in page
