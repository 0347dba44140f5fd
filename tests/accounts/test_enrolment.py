"""Proving to be a member: what works, what is refused, and that a refusal says nothing (FAULTS H02, H04, H24)."""

import datetime as dt
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import enrolment, enrolment_codes
from accounts.enrolment import NotMatched, Proof
from accounts.models import Member, User
from activity.models import Event, WorkItem
from tests.conftest import Cast

MAYA = {"member_number": "M-MAYA", "birth_date": "11/02/2015", "zip": "94612"}
PROOF = Proof(member_number="M-MAYA", birth_date=dt.date(2015, 11, 2), zip="94612")


@pytest.fixture(autouse=True)
def whatever_year_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maya stays young enough to be let in by her facts; who is older needs a code: test_enrolment_codes."""
    monkeypatch.setattr(enrolment_codes, "CODE_FROM_AGE", 99)


@pytest.fixture
def newcomer(cast: Cast) -> User:
    return User.objects.create_user("new@example.com")


@pytest.fixture
def client(newcomer: User) -> Client:
    client = Client()
    client.force_login(newcomer)
    return client


def test_the_right_facts_connect_the_member_and_lead_to_the_overview(client: Client, newcomer: User) -> None:
    assert client.get("/family/")["Location"] == "/enroll/"
    answer = client.post("/enroll/", MAYA)
    assert answer["Location"] == "/overview/"
    assert Member.objects.get(number="M-MAYA").user == newcomer
    assert client.get("/family/").status_code == 200
    event = Event.objects.get(kind="enrolment.claimed")
    assert (event.actor, event.subject) == (f"user:{newcomer.pk}", f"member:{Member.objects.get(number='M-MAYA').pk}")


@pytest.mark.parametrize(
    "spelling", [{"member_number": " m-maya "}, {"birth_date": "2015-11-02"}, {"zip": "94612-1234"}]
)
def test_a_fact_may_be_written_in_other_ways(client: Client, spelling: dict[str, str]) -> None:
    assert client.post("/enroll/", MAYA | spelling).status_code == 302


WRONG: dict[str, dict[str, str]] = {
    "no such member": {"member_number": "M-NONE"},
    "another birth date": {"birth_date": "11/03/2015"},
    "another zip": {"zip": "94613"},
    "everything": {"member_number": "M-NONE", "birth_date": "01/01/1999", "zip": "00000"},
    "claimed already": {"member_number": "M-BOB", "birth_date": "07/21/2004"},
}


def test_every_refusal_is_the_same(cast: Cast) -> None:
    """H02, H04: text, status and size, whatever was wrong; also when the tries are used up."""
    answers: dict[str, tuple[int, str]] = {}
    for number, (why, wrong) in enumerate((WRONG | {"tries used up": {}}).items()):
        client = Client(REMOTE_ADDR=f"203.0.113.{number}")
        user = User.objects.create_user(f"new{number}@example.com")
        client.force_login(user)
        if why == "tries used up":
            for _try in range(5):
                client.post("/enroll/", MAYA | {"member_number": "M-NONE-2"})
        answers[why] = stripped(client.post("/enroll/", MAYA | wrong), MAYA | wrong)
    assert len(set(answers.values())) == 1, {why: len(text) for why, (_status, text) in answers.items()}
    assert not Member.objects.filter(number="M-MAYA", user__isnull=False).exists()


def test_a_second_claim_is_work_for_staff_and_told_to_who_holds_the_member(cast: Cast, newcomer: User) -> None:
    """H24: refused; the first keeps the member."""
    with pytest.raises(NotMatched):
        enrolment.claim(newcomer, Proof("M-BOB", cast.bob.birth_date, "94612"), address="a")
    assert Member.objects.get(pk=cast.bob.pk).user == cast.bob.user
    event = Event.objects.get(kind="enrolment.second_claim")
    assert event.data == {"claimed_by": newcomer.pk, "held_by": cast.bob.user.pk}
    assert WorkItem.objects.get(kind=WorkItem.Kind.SECOND_CLAIM).subject == f"member:{cast.bob.pk}"


def test_who_holds_the_member_may_prove_it_again(cast: Cast) -> None:
    assert enrolment.claim(cast.bob.user, Proof("M-BOB", cast.bob.birth_date, "94612"), address="a") == cast.bob
    assert not WorkItem.objects.exists()


def test_nobody_of_the_family_becomes_another_member_of_it(cast: Cast) -> None:
    """F06: the holder knows every fact of her household; a second person would be "her own" with all that is theirs."""
    with pytest.raises(NotMatched):
        enrolment.claim(cast.alice.user, PROOF, address="a")
    assert Member.objects.get(pk=cast.maya.pk).user is None
    assert WorkItem.objects.get(kind=WorkItem.Kind.SECOND_CLAIM).subject == f"member:{cast.maya.pk}"


def test_a_confidential_member_is_let_in_by_staff_alone(cast: Cast, client: Client, newcomer: User) -> None:
    """F06: under a new address the facts prove no more. The answer is that of any wrong fact."""
    Member.objects.filter(pk=cast.maya.pk).update(confidential_since=timezone.now())
    refused = stripped(client.post("/enroll/", MAYA), MAYA)
    assert refused == stripped(client.post("/enroll/", MAYA | WRONG["another zip"]), MAYA | WRONG["another zip"])
    assert Member.objects.get(pk=cast.maya.pk).user is None
    assert WorkItem.objects.get(kind=WorkItem.Kind.SECOND_CLAIM).subject == f"member:{cast.maya.pk}"


def test_a_household_without_a_zip_cannot_be_claimed(cast: Cast, newcomer: User) -> None:
    type(cast.household).objects.filter(pk=cast.household.pk).update(zip="")
    for zip_code in ("", "-"):
        with pytest.raises(NotMatched):
            enrolment.claim(newcomer, Proof("M-MAYA", cast.maya.birth_date, zip_code), address="a")


@pytest.mark.parametrize(
    ("varied", "limit"), [("user", 20), ("address", 5), ("user and address", 5), ("user, address and number", 50)]
)
def test_tries_are_limited_by_user_address_and_member_number(cast: Cast, varied: str, limit: int) -> None:
    """H04: five an hour by user, twenty by address, five a day by member number; the next is refused though right."""
    users = [User.objects.create_user(f"u{number}@example.com") for number in range(51)]
    for number in range(limit):
        with pytest.raises(NotMatched):
            enrolment.claim(
                users[number if "user" in varied else 50],
                Proof("M-MAYA" if varied == "user and address" else f"M-{number}", PROOF.birth_date, "00000"),
                address=f"address-{number}" if "address" in varied else "address",
            )
    user = users[-1] if "user" not in varied else User.objects.create_user("last@example.com")
    address = "address" if "address" not in varied else "last"
    if varied == "user, address and number":
        assert enrolment.claim(user, PROOF, address=address) == cast.maya
    else:
        with pytest.raises(NotMatched):
            enrolment.claim(user, PROOF, address=address)


def test_fifty_who_claim_one_member_at_once_end_with_one(real_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """H24 as a race: one holds the member, whoever comes later is a second claim."""
    monkeypatch.setattr(enrolment.rate_limits, "take", lambda *claims: True)
    users = [User.objects.create_user(f"u{number}@example.com") for number in range(20)]
    barrier = threading.Barrier(20)

    def claim(user: User) -> bool:
        barrier.wait()
        try:
            enrolment.claim(user, PROOF, address="a")
        except NotMatched:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(claim, users))
    assert won.count(True) == 1
    assert Event.objects.filter(kind="enrolment.claimed").count() == 1
    assert Event.objects.filter(kind="enrolment.second_claim").count() == 19


def test_fifty_parallel_guesses_are_looked_at_five_times(real_cast: Cast) -> None:
    """H04, G09: one user with fifty requests at one moment."""
    user = User.objects.create_user("new@example.com")
    barrier = threading.Barrier(50)

    def guess(number: int) -> None:
        barrier.wait()
        try:
            enrolment.claim(user, Proof("M-MAYA", dt.date(2015, 1, 1), "94612"), address=f"a{number}")
        except NotMatched:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(guess, range(50)))
    reasons = list(Event.objects.filter(kind="enrolment.refused").values_list("reason", flat=True))
    assert (reasons.count("facts"), reasons.count("limit")) == (5, 45)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth_date", "02/30/2015"), ("birth_date", "0001-01-01"), ("birth_date", "9999-12-31"),
        ("birth_date", "11/02/15"), ("zip", "9461"), ("zip", "9461\uff12"), ("member_number", "M-MAYA'--"),
        ("member_number", "M" * 21), ("member_number", ""), ("member_number", "M-MAYA\x00"),
    ],
)  # fmt: skip
def test_facts_that_have_no_proper_form_are_named_and_not_looked_up(client: Client, field: str, value: str) -> None:
    """I12, I13: no try is used up."""
    answer = client.post("/enroll/", MAYA | {field: value})
    assert field in answer.context["form"].errors
    assert not Event.objects.exists()


def test_events_carry_none_of_the_facts(client: Client) -> None:
    client.post("/enroll/", MAYA | {"zip": "94613"})
    event = Event.objects.get()
    words = f"{event.subject} {event.actor} {event.reason} {event.data}"
    assert not any(fact in words for fact in ("MAYA", "2015", "9461"))


def stripped(answer: Any, typed: dict[str, str]) -> tuple[int, str]:
    """Status and text without what was typed, addresses and tokens."""
    text = answer.content.decode()
    for value in typed.values():
        text = text.replace(f'value="{value}"', "")
    text = re.sub(r"new\d+@example.com|u\d+@example.com", "", text)
    return answer.status_code, re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)
