"""Confidential communications: asked for without a reason, in force at once, ended after proving who one is."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ConfidentialRequest, Member
from accounts.visibility import scope_of
from notifications import letters, sending, tasks
from notifications.models import Notification
from tests.access.conftest import prove
from tests.conftest import Cast
from tests.factories import make_delegate
from tests.smtp import Mailbox, mailbox  # noqa: F401

BY_MAIL = {"channel": "mail", "email": "bob@example.com"}
BY_POST = {"channel": "post", "address": "PO box 7", "city": "Reno", "state": "nv", "zip": "89501"}


def test_it_is_in_force_at_once_and_told_to_the_member_alone(cast: Cast, mailbox: Mailbox) -> None:  # noqa: F811
    client = prove(Client(), cast.bob.user)
    assert client.post("/family/confidential/", BY_MAIL).status_code == 302
    assert cast.bob.pk not in scope_of(cast.alice.user).member_ids
    tasks.work_off()
    sending.send_waiting()
    assert mailbox.recipients == ["bob@example.com"]
    assert set(Notification.objects.values_list("user_id", flat=True)) == {cast.bob.user_id}


def test_by_post_nothing_is_mailed_and_the_letter_goes_to_the_own_address(cast: Cast, mailbox: Mailbox) -> None:  # noqa: F811
    """L02."""
    prove(Client(), cast.bob.user).post("/family/confidential/", BY_POST)
    tasks.work_off()
    assert sending.send_waiting() == 0
    assert mailbox.recipients == []
    [row] = letters.rows()
    assert row[-4:] == ("PO box 7", "Reno", "NV", "89501")


@pytest.mark.parametrize(
    "fields", [{"channel": "mail", "email": "alice@example.com"}, {"channel": "mail"}, {"channel": "post"}, {}]
)
def test_an_address_of_ones_own_is_needed(cast: Cast, fields: dict[str, str]) -> None:
    answer = prove(Client(), cast.bob.user).post("/family/confidential/", {"x": "1", **fields})
    assert answer.status_code == 422
    assert not ConfidentialRequest.objects.exists()


def test_what_was_granted_before_ends_with_it(cast: Cast) -> None:
    helper = make_delegate(cast.bob, "helper@example.com", "full")
    prove(Client(), cast.bob.user).post("/family/confidential/", BY_MAIL)
    assert scope_of(helper).member_ids == frozenset()


def test_ending_it_asks_who_one_is(cast: Cast) -> None:
    """H16: another may sit at the same screen."""
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    client = Client()
    assert cast.bob.user is not None
    client.force_login(cast.bob.user)
    client.post("/family/confidential/end/")
    assert Member.objects.get(pk=cast.bob.pk).is_confidential
    prove(client, cast.bob.user).post("/family/confidential/end/")
    assert cast.bob.pk in scope_of(cast.alice.user).member_ids
