"""Lists: pages, cursors, filters; none missed and none twice."""

import time

import pytest
import stripe

from .conftest import Server


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 230])
def test_auto_paging_sees_each_object_once(client: stripe.StripeClient, count: int) -> None:
    """Serves D25: at, below and beyond the page size."""
    made = [client.v1.customers.create().id for _ in range(count)]
    seen = [customer.id for customer in client.v1.customers.list({"limit": 100}).auto_paging_iter()]
    assert seen == made[::-1]


def test_an_object_added_while_listing_is_neither_lost_nor_doubled(client: stripe.StripeClient) -> None:
    """Serves D25: the cursor is an object, not a number."""
    made = [client.v1.customers.create().id for _ in range(6)]
    page = client.v1.customers.list({"limit": 3})
    client.v1.customers.create()
    rest = client.v1.customers.list({"limit": 3, "starting_after": page.data[-1].id})
    assert [row.id for row in [*page.data, *rest.data]] == made[::-1]
    assert page.has_more and not rest.has_more
    back = client.v1.customers.list({"limit": 2, "ending_before": made[0]})
    assert [row.id for row in back.data] == [made[2], made[1]] and back.has_more


def test_lists_are_filtered_by_time(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves C14 and D19: `created[gte]` and `created[lt]`, which a daily reconciliation uses."""
    sandbox.post("clock/freeze", at=1_800_000_000)
    early = client.v1.customers.create()
    sandbox.post("clock/advance", seconds=100)
    late = client.v1.customers.create()

    def ids(**bounds: int) -> list[str]:
        return [row.id for row in client.v1.customers.list({"created": bounds}).data]  # type: ignore[typeddict-item]

    assert ids(gte=1_800_000_100) == [late.id]
    assert ids(lt=1_800_000_100) == [early.id]
    assert ids(gte=1_800_000_000, lte=1_800_000_100) == [late.id, early.id]
    assert ids(gt=1_800_000_100) == []
    sandbox.post("clock/freeze", at=None)


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"starting_after": "cus_none"}])
def test_bad_paging_is_refused(client: stripe.StripeClient, params: dict[str, object]) -> None:
    """Bounds are Stripe's: 1 to 100."""
    client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.list(params)  # type: ignore[arg-type]


def test_expansion_reaches_into_lists(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves O05: one call for a page of charges with their balance lines."""
    sandbox.post("charges", amount=4000)
    row = client.v1.charges.list({"expand": ["data.balance_transaction", "data.customer"]}).data[0]
    assert row.balance_transaction.fee == 146  # type: ignore[union-attr]
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.charges.list({"expand": ["data.nonsense"]})


def test_many_pages_are_listed_in_good_time(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D25: twenty full pages, none missed, none twice."""
    for _ in range(2000):
        sandbox.post("events", type="sandbox.filler")
    started = time.monotonic()
    rows = [event.id for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
    assert len(rows) == len(set(rows)) == 2000
    assert time.monotonic() - started < 10
