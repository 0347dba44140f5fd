"""Addresses of many things by one look at the route."""

import pytest
from django.urls import reverse

from billing_portal.addresses import addresses_of


@pytest.mark.parametrize("number", ["C1-7", "0", "a b/c", "50%?x=1#y", "ñ·½", "../x", 'q"<&>'])
def test_they_are_those_that_reverse_gives_whatever_the_number_is(number: str) -> None:
    assert addresses_of("claim")(number) == reverse("claim", args=[number])


def test_each_list_of_rows_has_its_route() -> None:
    for route in ("bill", "payment"):
        assert addresses_of(route)("0-A0") == reverse(route, args=["0-A0"])
