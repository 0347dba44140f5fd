"""Naming a bill at guest pay: what is taken, what is not told, and when more is asked for."""

import datetime as dt
import re
import statistics
import time

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import rate_limits
from activity.models import Event
from billing_portal import walls
from billing_portal.environment import Environment
from bills.models import Bill
from payments import guest_challenge, guest_links, guests
from payments.guest_challenge import altcha
from payments.guest_limits import ChallengeNeeded, Closed
from tests.conftest import Cast
from tests.payments.guest_pages import facts_of, look_up, named, post_amount, somebody
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import make_bill

UNKNOWN = "ZZZZ-ZZZZ"


@pytest.fixture
def bill(cast: Cast) -> Bill:
    """A medical bill of Maya's, born on 2015-11-02, over $185.00."""
    return make_bill(cast.maya, 18_500)


@pytest.mark.parametrize("spelling", ["{0}", " {1} ", "{2}", "{0} "])
def test_the_number_is_taken_however_it_is_typed(bill: Bill, spelling: str) -> None:
    number = bill.number
    typed = spelling.format(
        number, number.lower().replace("-", " "), number.replace("-", "").replace("0", "O").replace("1", "l")
    )
    assert look_up(Client(), bill, bill_number=typed).status_code == 302
    assert Event.objects.get(kind="guest.bill_seen").subject == f"bill:{number}"  # N01: the look is written down


@pytest.mark.parametrize("case", ["unknown number", "wrong date", "both wrong", "void", "another's date"])
def test_whatever_is_wrong_the_answer_is_the_same(bill: Bill, cast: Cast, case: str) -> None:
    """G01, H02: status, size and text, but for the token of the form and what was typed."""
    reference = look_up(Client(REMOTE_ADDR="10.9.9.9"), bill, bill_number=UNKNOWN, birth_date="01/01/1950")
    typed = {
        "unknown number": {"bill_number": UNKNOWN},
        "wrong date": {"birth_date": "01/01/1950"},
        "both wrong": {"bill_number": UNKNOWN, "birth_date": "01/01/1950"},
        "void": {},
        "another's date": {"birth_date": cast.alice.birth_date.strftime("%m/%d/%Y")},
    }[case]
    if case == "void":
        Bill.objects.filter(pk=bill.pk).update(voided_at=timezone.now())
    client = Client()
    response = look_up(client, bill, **typed)
    assert response.status_code == reference.status_code == 422
    assert plain(response.content) == plain(reference.content)
    assert len(response.content) == len(reference.content)
    assert not client.session.keys()


def test_the_time_tells_nothing(bill: Bill) -> None:
    """H02, F34: 400 look-ups of a number there is and of one there is not, in turn; medians within 10 %."""
    times: dict[str, list[float]] = {bill.number: [], UNKNOWN: []}
    for _round in range(400):
        for number, spent in times.items():
            began = time.perf_counter()
            assert guests.find({"bill_number": number, "birth_date": "1950-01-01"}) is None
            spent.append(time.perf_counter() - began)
    there, missing = (statistics.median(spent) for spent in times.values())
    assert abs(there - missing) / missing < 0.10, f"{there * 1e6:.0f} against {missing * 1e6:.0f} microseconds"


@pytest.mark.parametrize(
    ("facts", "typed", "is_found"),
    [
        ("zip", {"zip": "94612-1234"}, True),
        ("zip", {"zip": "94613"}, False),
        ("last_name", {"last_name": " RIVERA "}, True),
        ("last_name", {"last_name": "Novak"}, False),
    ],
)
def test_a_setting_names_the_facts(
    bill: Bill, settings: Settings, facts: str, typed: dict[str, str], is_found: bool
) -> None:
    settings.GUEST_PAY_FACTS = ["bill_number", facts]
    page = Client().get("/guest-pay/").content.decode()
    assert f'name="{facts}"' in page
    assert 'name="birth_date"' not in page
    response = Client().post("/guest-pay/", {"bill_number": bill.number, **typed})
    assert response.status_code == (302 if is_found else 422)


def test_an_empty_fact_in_our_book_opens_nothing(bill: Bill, settings: Settings) -> None:
    """A household without a ZIP is not found by an empty one."""
    settings.GUEST_PAY_FACTS = ["bill_number", "zip"]
    bill.household.zip = ""
    bill.household.save()
    assert guests.find({"bill_number": bill.number, "zip": ""}) is None


@pytest.mark.parametrize("facts", ["", "bill_number", "birth_date", "bill_number,shoe_size"])
def test_the_portal_does_not_start_on_facts_that_prove_nothing(facts: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GUEST_PAY_FACTS"):
        walls.refuse_weak(Environment(portal_environment="test", guest_pay_facts=facts))


def test_a_confidential_members_bill_opens_to_who_knows_its_facts(bill: Bill, cast: Cast) -> None:
    """G05: it shows no more than any other."""
    cast.bob.confidential_since = timezone.now() - dt.timedelta(days=1)
    cast.bob.save()
    page = text_of(named(make_bill(cast.bob, 7_000)).get("/guest-pay/bill/"))
    assert "B." in page
    assert "Bob" not in page


def test_a_bill_is_seen_by_the_session_that_named_it_alone_and_for_an_hour(
    bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = named(bill)
    assert client.get("/guest-pay/bill/").status_code == 200
    assert Client().get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    later = time.time() + guests.SEEN_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.get("/guest-pay/bill/")["Location"] == "/guest-pay/"


def test_one_bill_at_a_time(bill: Bill, cast: Cast) -> None:
    other = make_bill(cast.alice, 9_900)
    client = named(other, named(bill))
    page = client.get("/guest-pay/bill/").content.decode()
    assert other.number in page
    assert bill.number not in page


def test_closing_the_bill_forgets_it(bill: Bill) -> None:
    client = named(bill)
    client.post("/guest-pay/end/")
    assert client.get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    assert post_amount(client, "50.00")["Location"] == "/guest-pay/"


def test_naming_a_bill_gives_the_browser_a_new_session(bill: Bill) -> None:
    """H12: a session id planted before is of no use; and who is signed in stays so."""
    client = Client()
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["session"] = planted.session_key
    named(bill, client)
    assert client.session.session_key != planted.session_key
    alice = named(bill, signed_in(bill.household.members.get(is_primary_holder=True)))
    assert alice.get("/overview/").status_code == 200


def test_after_three_tries_a_proof_of_work_is_asked_for(bill: Bill) -> None:
    """G08, G13: the fourth try brings one, once; the same again is refused."""
    client = Client()
    answers = [look_up(client, bill, birth_date="01/01/1950") for _try in range(4)]
    assert ["data-challenge" in answer.content.decode() for answer in answers] == [False, False, False, True]
    assert "no bill to pay" not in text_of(answers[-1])
    solution = solved(answers[-1].content.decode())
    assert look_up(client, bill, altcha=solution).status_code == 302
    again = look_up(client, bill, altcha=solution)
    assert "data-challenge" in again.content.decode()


@pytest.mark.parametrize("forged", ["", "x", "e30=", "bm90IGpzb24="])
def test_a_proof_that_is_none_is_refused(db: None, forged: str) -> None:
    assert not guest_challenge.is_met(somebody(), solution=forged, ticket="")


@pytest.mark.parametrize("fault", ["wrong key", "easier", "expired", "unsigned"])
def test_a_proof_that_was_not_worked_for_is_refused(db: None, fault: str) -> None:
    """G13: a solution that does not solve, and a challenge that is not as we issued it."""
    challenge = altcha.Challenge.from_dict(guest_challenge.json.loads(guest_challenge.issue()))
    if fault == "easier":
        challenge.parameters.key_prefix = ""
    elif fault == "expired":
        challenge.parameters.expires_at = int(time.time()) - 1
    elif fault == "unsigned":
        challenge.signature = None
    solution = altcha.Solution(counter=1, derived_key="00" * 32)
    forged = altcha.Payload(challenge=challenge, solution=solution).to_base64()
    assert not guest_challenge.is_met(somebody(), solution=forged, ticket="")


def test_without_script_a_minute_is_waited_instead(bill: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticket is good after a minute, once, and one a minute from an address."""
    ticket, other = guest_challenge.waiting_ticket(), guest_challenge.waiting_ticket()
    assert not guest_challenge.is_met(somebody(), solution="", ticket=ticket)
    later = time.time() + 61
    monkeypatch.setattr(guest_challenge.time, "time", lambda: later)
    assert guest_challenge.is_met(somebody(), solution="", ticket=ticket)
    assert not guest_challenge.is_met(somebody(), solution="", ticket=ticket)
    assert not guest_challenge.is_met(somebody(), solution="", ticket=other)
    assert not guest_challenge.is_met(somebody(2), solution="", ticket=other[:-1] + "_")
    assert guest_challenge.is_met(somebody(2), solution="", ticket=guest_challenge.waiting_ticket()) is False


def test_what_cannot_be_counted_is_not_done(bill: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey away: guests wait, with the status and words of a portal that is busy."""
    monkeypatch.setattr(rate_limits, "_silent_until", time.monotonic() + 60)
    with pytest.raises(Closed):
        guests.look_up(somebody(), facts_of(bill), has_proof=True)
    response = look_up(Client(), bill)
    assert response.status_code == 503
    assert "cannot be done right now" in text_of(response)


def test_the_challenge_does_not_depend_on_what_is_typed(bill: Bill) -> None:
    """A limit tells nothing: the right facts are asked for a proof as wrong ones are."""
    for _try in range(3):
        guests.look_up(somebody(), facts_of(bill, birth_date="1950-01-01"), has_proof=False)
    for facts in (facts_of(bill), facts_of(bill, bill_number=UNKNOWN)):
        with pytest.raises(ChallengeNeeded):
            guests.look_up(somebody(), facts, has_proof=False)


def solved(page: str) -> str:
    """Solve a page's challenge as the widget does."""
    found = re.search(r'challenge="([^"]+)"', page)
    assert found is not None
    challenge = altcha.Challenge.from_dict(guest_challenge.json.loads(found[1].replace("&quot;", '"')))
    solution = altcha.solve_challenge(challenge)
    payload = altcha.Payload(challenge=challenge, solution=solution)
    return str(payload.to_base64())


def plain(content: bytes) -> str:
    """A page without its tokens, its nonce and the values that were typed."""
    return re.sub(
        r'(csrfmiddlewaretoken" value|nonce|name="(?:bill_number|birth_date)" value)="[^"]*"', "", content.decode()
    )


def test_a_bill_from_before_a_confidential_request_opens_by_a_link_made_after_it_alone(bill: Bill, cast: Cast) -> None:
    """G05, F06: whom the request keeps out has seen the number before, and knows the birth date."""
    old = make_bill(cast.bob, 7_000)
    client = named(old)
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert client.get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    assert guests.find(facts_of(old)) is None
    link = guest_links.ensure(old, guest_links.Purpose.SHARED, user_id=cast.bob.user_id)
    other = Client()
    assert other.get(guest_links.address(link).removeprefix(settings.PORTAL_URL))["Location"] == "/guest-pay/bill/"
    assert "B." in text_of(other.get("/guest-pay/bill/"))
