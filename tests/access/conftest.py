"""One world for all routes: made once, and put back after each test."""

import logging
import time
from collections.abc import Iterator

import pytest
from allauth.account.internal.userkit import user_id_to_str
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.models import User
from tests.access.objects import World, make_wide_world
from tests.access.relations import SIGNED_IN
from tests.conftest import make_cast

ROLES = ("anonymous", *SIGNED_IN, "staff_without_factor")
SLOW_RUN_SECONDS = 3600  # the proof holds for the whole of the matrix, however busy the machine is


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The cast, its objects, and who sees whose; rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_wide_world(make_cast())
        transaction.set_rollback(True)


def prove(client: Client, user: User | None, *, at: float | None = None) -> Client:
    """Sign somebody in who has proved who they are a moment ago, or `at` another time."""
    assert user is not None
    user.refresh_from_db()  # a passkey was added: the session must agree with that
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": at or time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
    return client


@pytest.fixture(scope="module")
def clients(world: World) -> dict[str, Client]:
    """A client for each role; all but one have proved who they are a moment ago, staff by a second factor."""
    made = {role: Client(raise_request_exception=False) for role in ROLES}
    for role, client in made.items():
        if role == "anonymous":
            continue
        user = world.users["staff" if role == "staff_without_factor" else role]
        user.refresh_from_db()  # a passkey was added: the session must agree with that
        if role == "staff_without_factor":
            client.force_login(user)
        else:
            prove(client, user, at=time.time() + SLOW_RUN_SECONDS)
    return made


@pytest.fixture(autouse=True)
def without_refusals_logged() -> Iterator[None]:
    """Most of the many thousand requests here are refused, each with a line that nobody reads; of an error it stays."""
    logger = logging.getLogger("django.request")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


@pytest.fixture(autouse=True)
def put_back(world: World) -> Iterator[None]:
    """Whatever a request writes is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
