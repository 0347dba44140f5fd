"""Links and QR codes with which somebody else pays a bill."""

import datetime as dt
import io
import logging
import re

import pypdf
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Delegate, User
from accounts.visibility import scope_of
from bills.models import Bill
from payments import guest_links, guests
from payments.guest_links import Purpose
from payments.models import GuestLink
from tests.conftest import Cast
from tests.payments.guest_pages import drafted
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import make_bill


@pytest.fixture
def bill(cast: Cast) -> Bill:
    """A medical bill of Maya's over $185.00."""
    return make_bill(cast.maya, 18_500)


def made(bill: Bill, cast: Cast, purpose: Purpose = Purpose.SHARED) -> tuple[GuestLink, str]:
    """A link that Alice made, and its path."""
    link = guest_links.ensure(bill, purpose, user_id=cast.alice.user_id)
    return link, path_of(guest_links.address(link))


def path_of(url: str) -> str:
    return re.sub(r"\Ahttps?://[^/]+", "", url)


def test_the_member_makes_a_link_and_a_relative_opens_the_bill_with_it(bill: Bill, cast: Cast) -> None:
    alice = signed_in(cast.alice)
    assert "Make a link" in text_of(alice.get(f"/bills/{bill.number}/"))
    alice.post(f"/bills/{bill.number}/guest-link/", {"link": "make"})
    page = alice.get(f"/bills/{bill.number}/").content.decode()
    found = re.search(r'value="(http[^"]+/guest-pay/link/[^"]+)"', page)
    assert found is not None
    assert "<svg" in page
    relative = Client()
    assert relative.get(path_of(found[1]))["Location"] == "/guest-pay/bill/"
    assert "$185.00" in text_of(relative.get("/guest-pay/bill/"))
    assert drafted(relative, "20.00").guest.link_id == GuestLink.objects.get().pk


def test_the_address_says_nothing_and_leaves_at_once(bill: Bill, cast: Cast) -> None:
    """G06, M10: no number of ours in it; the next page has another address, no referrer, no index."""
    link, path = made(bill, cast)
    for told in (bill.number, str(bill.pk) + "/", bill.number.replace("-", ""), "Maya"):
        assert told not in path
    assert len(link.nonce) == 22  # 128 bits
    response = Client().get(path)
    assert response["Location"] == "/guest-pay/bill/"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert "noindex" in response["X-Robots-Tag"]


def test_opening_a_link_changes_nothing(bill: Bill, cast: Cast) -> None:
    """G06: a mail scanner that fetches it uses nothing up."""
    _link, path = made(bill, cast)
    before = list(GuestLink.objects.values())
    for _fetch in range(3):
        assert Client().get(path)["Location"] == "/guest-pay/bill/"
        Client().head(path)
    assert list(GuestLink.objects.values()) == before


@pytest.mark.parametrize("how", ["revoked", "expired", "new one", "void", "confidential since"])
def test_a_dead_link_opens_nothing_and_ends_the_visits_it_opened(bill: Bill, cast: Cast, how: str) -> None:
    """G05, F09, F31: at the next request of a browser that had opened it, too."""
    link, path = made(bill, cast)
    visitor = Client()
    visitor.get(path)
    draft = drafted(visitor, "20.00")
    if how == "revoked":
        guest_links.revoke(bill, user_id=cast.alice.user_id)
    elif how == "new one":
        guest_links.reissue(bill, user_id=cast.alice.user_id)
    elif how == "expired":
        GuestLink.objects.update(expires_at=timezone.now())
    elif how == "void":
        Bill.objects.update(voided_at=timezone.now())
    else:
        cast.maya.confidential_since = timezone.now()
        cast.maya.save()
    assert not guests.may_go_on(draft)
    assert visitor.get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    fresh = Client()
    assert fresh.get(path)["Location"] == "/guest-pay/"
    assert "no longer works" in text_of(fresh.get("/guest-pay/"))


@pytest.mark.parametrize("token", ["x", "abc.def", "a" * 119, "a" * 500, "é.é"])
def test_a_token_that_we_did_not_sign_opens_nothing_and_asks_the_database_nothing(
    token: str, db: None, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert guest_links.opened(token) is None


def test_no_log_line_repeats_a_token(bill: Bill, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """G06: of a link that works, and of one that is dead."""
    _link, path = made(bill, cast)
    with caplog.at_level(logging.DEBUG):
        Client().get(path)
        guest_links.revoke(bill, user_id=cast.alice.user_id)
        Client().get(path)
    token = path.split("/")[-2]
    assert token not in caplog.text


def test_the_printed_bill_carries_a_link_that_stays_the_same(bill: Bill, cast: Cast) -> None:
    alice = signed_in(cast.alice)
    links = []
    for _print in range(2):
        text = pdf_text(alice.get(f"/bills/{bill.number}/pdf/").content)
        links += re.findall(r"/guest-pay/link/[\w.-]+/", text)
    assert len(set(links)) == 1
    assert Client().get(links[0])["Location"] == "/guest-pay/bill/"


def test_a_link_near_its_end_is_printed_anew_and_the_old_one_is_good_until_then(bill: Bill, cast: Cast) -> None:
    link, path = made(bill, cast, Purpose.STATEMENT)
    GuestLink.objects.update(expires_at=timezone.now() + dt.timedelta(days=20))
    _new, other = made(bill, cast, Purpose.STATEMENT)
    assert other != path
    assert Client().get(path)["Location"] == Client().get(other)["Location"] == "/guest-pay/bill/"


def test_who_may_not_pay_a_bill_lets_nobody_else_pay_it(bill: Bill, cast: Cast) -> None:
    """A delegate who may only look, and a holder to whom a confidential member's bill is shared (G05)."""
    viewer = User.objects.create_user("viewer@example.com")
    Delegate.objects.create(member=cast.bob, user=viewer, grant="view")
    bobs = make_bill(cast.bob, 5_000)
    assert not guest_links.may_make(bobs, scope_of(viewer))
    cast.bob.confidential_since = timezone.now() - dt.timedelta(days=1)
    cast.bob.save()
    friend = User.objects.create_user("friend@example.com")
    Delegate.objects.create(member=cast.bob, user=friend, grant="full")
    assert not guest_links.may_make(Bill.objects.get(pk=bobs.pk), scope_of(friend))
    Bill.objects.filter(pk=bobs.pk).update(shared_at=timezone.now())
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    assert alice.get(f"/bills/{bobs.number}/").status_code == 200
    assert "Let somebody else pay" not in text_of(alice.get(f"/bills/{bobs.number}/"))
    assert "guest-pay/link" not in pdf_text(alice.get(f"/bills/{bobs.number}/pdf/").content)
    assert alice.post(f"/bills/{bobs.number}/guest-link/", {"link": "make"}).status_code == 404
    assert bob.post(f"/bills/{bobs.number}/guest-link/", {"link": "make"}).status_code == 302
    assert GuestLink.objects.count() == 1


def test_revoking_kills_the_printed_link_too(bill: Bill, cast: Cast) -> None:
    _link, printed = made(bill, cast, Purpose.STATEMENT)
    signed_in(cast.alice).post(f"/bills/{bill.number}/guest-link/", {"link": "revoke"})
    assert Client().get(printed)["Location"] == "/guest-pay/"


def pdf_text(content: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).replace("\n", "")


def test_a_link_that_a_delegate_made_dies_with_the_grant(bill: Bill, cast: Cast) -> None:
    """F17: one that the holder made stays, and what is printed next is good."""
    friend = User.objects.create_user("friend@example.com")
    grant = Delegate.objects.create(member=cast.maya, user=friend, grant="pay_only")
    link = guest_links.ensure(bill, Purpose.STATEMENT, user_id=friend.pk)
    _mine, alices = made(bill, cast)
    path = path_of(guest_links.address(link))
    visit = Client()
    assert visit.get(path)["Location"] == "/guest-pay/bill/"
    Delegate.objects.filter(pk=grant.pk).update(ended_at=timezone.now())
    assert visit.get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    assert Client().get(path)["Location"] == "/guest-pay/"
    assert Client().get(alices)["Location"] == "/guest-pay/bill/"
    _new, printed = made(bill, cast, Purpose.STATEMENT)
    assert Client().get(printed)["Location"] == "/guest-pay/bill/"
    Delegate.objects.create(member=cast.maya, user=friend, grant="pay_only")
    again = guest_links.reissue(bill, user_id=friend.pk)
    assert Client().get(path_of(guest_links.address(again)))["Location"] == "/guest-pay/bill/"
