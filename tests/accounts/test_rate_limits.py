"""Limits that hold under parallel calls, by every spelling of an address, and while Valkey is away."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from accounts import rate_limits
from accounts.rate_limits import Limit, account_key, take
from tests.accounts.signing_in import add_totp, is_signed_in, mails_to, sign_in, totp_code
from tests.conftest import PASSWORD, Cast

THREADS = 50
TEN_A_MINUTE = Limit("test", 10, 60)
NOWHERE = "redis://127.0.0.1:1/0"


def in_parallel(call: object, count: int = THREADS) -> list[object]:
    """Start all calls at one moment; their results."""
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        barrier.wait()
        try:
            return call(number)  # type: ignore[operator]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def valkey_away(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Valkey that refuses connections, for limits and the cache alike."""
    settings.REDIS_URL = NOWHERE  # type: ignore[attr-defined]
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": NOWHERE}}  # type: ignore[attr-defined]
    monkeypatch.setattr(rate_limits, "_valkey", rate_limits._valkey.__wrapped__)
    monkeypatch.setattr(rate_limits, "_silent_until", 0.0)
    rate_limits._memory.storage.reset()


@pytest.mark.parametrize("round_number", range(5))
def test_fifty_at_once_never_pass_a_limit_of_ten(round_number: int) -> None:
    """G09: the counter is atomic; what is refused is not counted."""
    assert in_parallel(lambda _number: take((TEN_A_MINUTE, "key"))).count(True) == 10
    assert not take((TEN_A_MINUTE, "key"))
    assert take((TEN_A_MINUTE, "other"))


def test_fifty_at_once_never_pass_it_while_valkey_is_away(valkey_away: None) -> None:
    """Each process counts for itself then, by the same limit."""
    assert in_parallel(lambda _number: take((TEN_A_MINUTE, "key"))).count(True) == 10


def test_a_limit_is_free_again_after_its_time() -> None:
    a_second = Limit("test-second", 2, 1)
    assert [take((a_second, "key")) for _try in range(3)] == [True, True, False]
    time.sleep(1.1)
    assert take((a_second, "key"))


def test_what_a_narrow_limit_refuses_does_not_use_up_a_wide_one() -> None:
    """One attacker's address cannot shut the door for all."""
    wide = Limit("test-wide", 20, 60)
    for _try in range(40):
        take((TEN_A_MINUTE, "attacker"), (wide, "all"))
    assert take((TEN_A_MINUTE, "somebody"), (wide, "all"))


def test_fifty_parallel_tries_at_one_account_look_at_ten_passwords(
    real_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H01: counted before the password is looked at, from as many addresses as there are tries."""
    looked_at = []
    check = type(real_cast.alice.user).check_password

    def counted(user: object, password: str) -> bool:
        looked_at.append(password)
        return check(user, password)

    monkeypatch.setattr(type(real_cast.alice.user), "check_password", counted)
    in_parallel(lambda number: sign_in("alice@example.com", f"wrong-{number}", REMOTE_ADDR=f"203.0.113.{number}")[1])
    assert len(looked_at) == 10


def test_a_locked_account_refuses_the_right_password_and_no_other_account(cast: Cast) -> None:
    for _try in range(10):
        sign_in("alice@example.com", "wrong")
    assert not is_signed_in(sign_in("alice@example.com")[0])
    assert is_signed_in(sign_in("bob@example.com")[0])


def test_a_locked_account_looks_the_same_whether_it_exists(cast: Cast) -> None:
    """H02."""
    texts = set()
    for email in ("alice@example.com", "alicf@example.com"):
        answers = [sign_in(email, "wrong")[1] for _try in range(11)]
        texts.add(answers[-1].context["form"].non_field_errors()[0])
    assert len(texts) == 1


def test_the_right_password_forgives_the_wrong_ones_before_it(cast: Cast) -> None:
    for _round in range(3):
        for _try in range(8):
            sign_in("alice@example.com", "wrong")
        assert is_signed_in(sign_in("alice@example.com")[0])


@pytest.mark.parametrize(
    "spelling",
    [
        "ALICE.B@EXAMPLE.COM", "a.l.i.c.e.b@example.com", "aliceb+1@example.com", "aliceb+x+y@example.com",
        " aliceb@example.com ", "\uff41liceb@example.com", "\u0430liceb@example.com", "aliceb@ex\u0430mple.com",
        "al\u0456ceb@example.com", "alic\u00e9b@example.com", "aliceb@example\uff0ecom", "\u03b1liceb@example.com",
    ],
)  # fmt: skip
def test_every_spelling_of_a_mailbox_counts_as_one(spelling: str) -> None:
    """H03: case, dots, plus-tags, full width, Cyrillic and Greek look-alikes, accents."""
    assert account_key(spelling) == "aliceb@example.com"


def test_other_mailboxes_count_apart() -> None:
    keys = {account_key(email) for email in ("alice@example.com", "alicf@example.com", "alice@example.org", "")}
    assert len(keys) == 4


def test_spellings_of_one_address_share_the_limit_of_sign_in(cast: Cast) -> None:
    """H03 through the form."""
    for number in range(10):
        sign_in(f"Al.ice+{number}@example.com", "wrong")
    assert not is_signed_in(sign_in("alice@example.com")[0])


def test_a_network_address_has_its_limit_and_ipv6_counts_by_subscriber(cast: Cast) -> None:
    """H01: 60 a minute, whatever the accounts; the 61st is answered 429 with a page."""
    statuses = [
        sign_in(f"user{number}@example.com", "wrong", REMOTE_ADDR=f"2001:db8::{number:x}")[1].status_code
        for number in range(61)
    ]
    assert statuses == [200] * 60 + [429]
    assert sign_in("alice@example.com", REMOTE_ADDR="2001:db8:0:1::1")[1].status_code == 302


def test_there_is_a_limit_overall(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """H01: a botnet of many addresses. Shown with a small limit."""
    monkeypatch.setitem(
        rate_limits.LIMITED_POSTS,
        "account_login",
        rate_limits._by_address(rate_limits.SIGN_IN_PER_ADDRESS, Limit("test-overall", 3, 60)),
    )
    answers = [sign_in(f"u{n}@example.com", "wrong", REMOTE_ADDR=f"203.0.113.{n}")[1].status_code for n in range(4)]
    assert answers == [200, 200, 200, 429]


def test_a_mailbox_gets_three_reset_mails_an_hour_and_nobody_is_told(cast: Cast) -> None:
    answers = [Client().post("/accounts/password/reset/", {"email": "alice@example.com"}) for _try in range(5)]
    assert {answer["Location"] for answer in answers} == {"/accounts/password/reset/done/"}
    assert len(mails_to("alice@example.com")) == 3


@pytest.mark.parametrize("email", ["alice@example.com", "new@example.com"])
def test_signing_up_sends_five_mails_an_hour_to_one_mailbox(cast: Cast, email: str) -> None:
    """Whether the address is taken or new: the sixth is answered 429."""
    statuses = [
        Client().post("/accounts/signup/", {"email": email, "password1": "copper-lantern-seven"}).status_code
        for _try in range(6)
    ]
    assert statuses == [302] * 5 + [429]


def test_codes_of_an_app_are_limited_by_account_whatever_the_session(cast: Cast) -> None:
    secret = add_totp(cast.alice.user)
    for _session in range(5):
        client, _answer = sign_in("alice@example.com")
        for _try in range(2):
            client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    client, _answer = sign_in("alice@example.com")
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    assert not is_signed_in(client)


def test_signing_in_goes_on_while_valkey_is_away(cast: Cast, valkey_away: None) -> None:
    """As docs/decisions/rate-limits.md says: passwords work and stay limited, apps' codes do not, no page fails."""
    assert is_signed_in(sign_in("alice@example.com")[0])
    for _try in range(10):
        sign_in("bob@example.com", "wrong")
    assert not is_signed_in(sign_in("bob@example.com")[0])
    assert Client().post("/accounts/password/reset/", {"email": "alice@example.com"}).status_code == 302
    secret = add_totp(cast.charlie.user)
    client, _answer = sign_in("charlie@example.com")
    answer = client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    assert answer.status_code == 200
    assert "cannot check codes" in answer.content.decode()


def test_a_valkey_that_does_not_answer_is_left_alone_for_a_while(valkey_away: None) -> None:
    """One request waits for it in ten seconds, not each."""
    take((TEN_A_MINUTE, "key"))
    assert rate_limits._silent_until > time.monotonic() + 5
    began = time.monotonic()
    for _try in range(100):
        take((Limit("test-many", 1000, 60), "key"))
    assert time.monotonic() - began < 1


def test_valkey_holds_no_address(cast: Cast) -> None:
    sign_in("alice@example.com", PASSWORD + "x")
    keys = [key.decode() for key in rate_limits._valkey(rate_limits._prefix()).storage.get_connection().scan_iter("*")]
    assert any("sign-in:account" in key for key in keys)
    assert not any("alice" in key for key in keys)
