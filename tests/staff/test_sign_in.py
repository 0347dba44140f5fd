"""Where staff come to when they sign in."""

import pytest

from accounts.roles import Role
from tests.conftest import PASSWORD
from tests.staff.conftest import make_staff


def sign_in(client, email: str):
    """The sign-in form, with the right password."""
    return client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def test_staff_begin_at_their_work(client, db):
    assert sign_in(client, make_staff(Role.BILLING).email).headers["Location"] == "/admin/"


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_members_begin_at_the_overview(client, cast, who):
    assert sign_in(client, f"{who}@example.com").headers["Location"] != "/admin/"


def test_staff_who_are_members_too_begin_as_members(client, cast):
    user = make_staff(Role.BILLING)
    cast.bob.user = user
    cast.bob.save()
    assert sign_in(client, user.email).headers["Location"] != "/admin/"
