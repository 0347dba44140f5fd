"""A dependant is let in by a code that only they have: their household knows all the facts (FAULTS F06, F16, H02)."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import confidentiality, enrolment, enrolment_codes
from accounts.enrolment import NotMatched, Proof
from accounts.models import EnrolmentCode, Member, User
from activity.models import Access, Event, WorkItem
from tests.access.conftest import prove
from tests.conftest import Cast

FACTS = {"member_number": "M-BOB", "birth_date": "07/21/2004", "zip": "94612"}


@pytest.fixture
def bob(cast: Cast) -> Member:
    """An adult of the household who has never signed in."""
    Member.objects.filter(pk=cast.bob.pk).update(user=None)
    type(cast.household).objects.filter(pk=cast.household.pk).update(address="1 Oak Street")
    return Member.objects.select_related("household").get(pk=cast.bob.pk)


@pytest.fixture
def newcomer(cast: Cast) -> User:
    return User.objects.create_user("new@example.com")


@pytest.fixture
def client(newcomer: User) -> Client:
    client = Client()
    client.force_login(newcomer)
    return client


def proof(code: str = "") -> Proof:
    return Proof("M-BOB", dt.date(2004, 7, 21), "94612", code)


def test_the_facts_alone_do_not_let_anybody_in_as_an_adult_dependant(bob: Member, client: Client) -> None:
    """A parent under a new address knows them all."""
    assert client.post("/enroll/", FACTS).status_code == 200
    assert Member.objects.get(pk=bob.pk).user is None
    assert Event.objects.get(kind="enrolment.refused").reason == "code"


def test_the_letters_code_lets_in_once(bob: Member, client: Client, newcomer: User) -> None:
    client.post("/enroll/", FACTS | {"letter": "yes"})
    out = io.StringIO()
    call_command("list_code_letters", stdout=out)
    [_header, row] = out.getvalue().splitlines()
    letter, name, street, *_rest, code, _until = row.split(",")
    assert (name, street) == ("Bob Rivera", "1 Oak Street")
    call_command("list_code_letters", "--printed", letter, stdout=io.StringIO())
    assert list(enrolment_codes.letters()) == []
    answer = client.post("/enroll/", FACTS | {"code": f" {code.lower().replace('-', ' ')} "})
    assert answer["Location"] == "/overview/"
    Member.objects.filter(pk=bob.pk).update(user=None)
    with pytest.raises(NotMatched):
        enrolment.claim(User.objects.create_user("other@example.com"), proof(code), address="b")


def test_a_code_is_tried_five_times_and_ends_with_its_time_or_with_another(bob: Member) -> None:
    users = [User.objects.create_user(f"u{number}@example.com") for number in range(8)]
    code = enrolment_codes.issue(bob, way="told", actor="test")
    for number in range(enrolment_codes.MAX_TRIES):
        assert not enrolment_codes.take(bob, f"AAAAA-AAAA{number}")
    assert not enrolment_codes.take(bob, enrolment_codes.text_of(code))
    old = enrolment_codes.issue(bob, way="told", actor="test")
    new = enrolment_codes.issue(bob, way="told", actor="test")
    assert not enrolment_codes.take(bob, enrolment_codes.text_of(old))
    EnrolmentCode.objects.filter(pk=new.pk).update(expires_at=timezone.now())
    assert not enrolment_codes.take(bob, enrolment_codes.text_of(new))
    right = enrolment_codes.issue(bob, way="told", actor="test")
    assert enrolment.claim(users[0], proof(enrolment_codes.text_of(right)), address="a") == bob


def test_asking_for_a_letter_says_nothing(bob: Member, client: Client) -> None:
    """H02: the same answer to right facts, wrong ones, a member who signs in, and a second letter; one is printed."""
    facts = (FACTS, FACTS, FACTS | {"zip": "00000"}, FACTS | {"member_number": "M-ALICE"})
    texts = set()
    for asked in facts:
        page = client.post("/enroll/", asked | {"letter": "yes"}).content.decode()
        texts.add("If these facts are right and a code is needed" in page)
        assert "could not match" not in page
    assert texts == {True}
    assert [code.member_id for code in EnrolmentCode.objects.all()] == [bob.pk]


def test_a_letter_asked_for_is_a_try(bob: Member, client: Client) -> None:
    """H04: the facts are not found by asking for letters."""
    for _try in range(5):
        client.post("/enroll/", FACTS | {"zip": "00000", "letter": "yes"})
    client.post("/enroll/", FACTS | {"letter": "yes"})
    assert not EnrolmentCode.objects.exists()


def test_a_confidential_members_letter_goes_to_their_own_address_or_nowhere(bob: Member, client: Client) -> None:
    """L02: another reads the post at the household's."""
    Member.objects.filter(pk=bob.pk).update(confidential_since=timezone.now())
    client.post("/enroll/", FACTS | {"letter": "yes"})
    assert not EnrolmentCode.objects.exists()
    where = {"channel": "post", "address": "PO box 7", "city": "Reno", "state": "NV", "zip": "89501"}
    confidentiality.begin(Member.objects.get(pk=bob.pk), where=where, actor="test")
    client.post("/enroll/", FACTS | {"letter": "yes"})
    [row] = enrolment_codes.letters()
    assert row[2] == "PO box 7"


def test_not_even_with_the_code_is_one_of_the_family_another_member_of_it(bob: Member, cast: Cast) -> None:
    """The letter may have been opened."""
    code = enrolment_codes.text_of(enrolment_codes.issue(bob, way="letter", actor="test"))
    with pytest.raises(NotMatched):
        enrolment.claim(cast.alice.user, proof(code), address="a")
    assert WorkItem.objects.get(kind=WorkItem.Kind.SECOND_CLAIM).subject == f"member:{bob.pk}"
    assert Member.objects.get(pk=bob.pk).user is None


def test_a_small_child_and_a_holder_need_no_code(bob: Member, cast: Cast) -> None:
    today = timezone.localdate()
    assert not enrolment_codes.is_needed(cast.alice)
    cast.maya.birth_date = today.replace(year=today.year - 12) + dt.timedelta(days=1)
    assert not enrolment_codes.is_needed(cast.maya)
    cast.maya.birth_date = today.replace(year=today.year - 12)
    assert enrolment_codes.is_needed(cast.maya)


def test_staff_tell_a_code_or_have_one_printed(bob: Member, cast: Cast) -> None:
    """With a reason; the code is shown once, and no event carries it."""
    client = prove(Client(), cast.dana)
    form = {"reason": "Came to the desk with a passport.", "key": "0123456789abcdef"}
    page = client.post(f"/admin/accounts/member/{bob.pk}/code-told/", form, follow=True).content.decode()
    code = enrolment_codes.text_of(EnrolmentCode.objects.get())
    assert code in page
    assert client.post(f"/admin/accounts/member/{bob.pk}/code-letter/", form).status_code == 302
    [row] = enrolment_codes.letters()
    assert row[1] == "Bob Rivera"
    assert Access.objects.filter(user=cast.dana, action="code-told").exists()
    assert not any(code in str(event.data) for event in Event.objects.all())
