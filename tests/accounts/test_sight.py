"""A grown child lets the holder see again and takes it back: alone, after proving who they are, at once (RULES 6)."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from activity.models import Event
from tests.access.conftest import prove
from tests.conftest import Cast

ADDRESS = "/family/sight/"


@pytest.fixture
def grown(cast: Cast) -> Cast:
    """Bob came of age on Alice's account."""
    Member.objects.filter(pk=cast.bob.pk).update(joined_on=dt.date(2010, 1, 1))
    return cast


def is_seen(cast: Cast) -> bool:
    assert cast.alice.user is not None
    return cast.bob.pk in scope_of(cast.alice.user).payable_ids


def test_it_is_given_and_taken_back_at_once_and_written_down(grown: Cast) -> None:
    bob = prove(Client(), grown.bob.user)
    assert not is_seen(grown)
    bob.post(ADDRESS, {"holder": "sees"})
    bob.post(ADDRESS, {"holder": "sees"})
    assert is_seen(grown)
    bob.post(ADDRESS, {"holder": "sees_not"})
    assert not is_seen(grown)
    kinds = Event.objects.filter(kind__startswith="sight.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["sight.given", "sight.taken_back"]


def test_it_asks_who_one_is(grown: Cast) -> None:
    """H16: a parent may sit at the same screen."""
    client = Client()
    assert grown.bob.user is not None
    client.force_login(grown.bob.user)
    session = client.session
    session.pop("account_authentication_methods", None)
    session.save()
    assert "reauthenticate" in client.post(ADDRESS, {"holder": "sees"})["Location"]
    assert not is_seen(grown)


def test_a_confidential_request_goes_first(grown: Cast) -> None:
    Member.objects.filter(pk=grown.bob.pk).update(confidential_since=timezone.now())
    prove(Client(), grown.bob.user).post(ADDRESS, {"holder": "sees"})
    assert not is_seen(grown)


def test_nobody_decides_it_for_another(grown: Cast) -> None:
    """Not the holder, who sees nothing to decide here, and not who has left."""
    prove(Client(), grown.alice.user).post(ADDRESS, {"holder": "sees"})
    assert not is_seen(grown)
    Member.objects.filter(pk=grown.bob.pk).update(left_on=timezone.localdate())
    prove(Client(), grown.bob.user).post(ADDRESS, {"holder": "sees"})
    assert Member.objects.get(pk=grown.bob.pk).seen_by_holder_since is None
