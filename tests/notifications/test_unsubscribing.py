"""One-click unsubscribe (RFC 8058), and addresses that are not written to any more."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from notifications import preferences, sending, suppressing, unsubscribing
from notifications.kinds import KINDS, Topic
from notifications.models import Notification, Preference, Suppression
from tests.conftest import Cast
from tests.notifications.telling import make_notice, wait_again
from tests.smtp import Mailbox

SECRET = "mail-reports-of-the-tests"
OPTIONAL = sorted(kind.name for kind in KINDS.values() if not kind.is_required)


def one_click(cast: Cast, mailbox: Mailbox, kind: str = "due_today") -> str:
    """The address in the header of a mail, as a mail program reads it."""
    Preference.objects.create(user=cast.alice.user, kind=kind, channel="mail", is_wanted=True)
    make_notice(cast, kind)
    assert sending.send_waiting() == 1
    header = str(mailbox.taken[-1]["List-Unsubscribe"]).strip()
    assert header.startswith("<") and header.endswith(">")
    return header[1:-1]


def path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("kind", OPTIONAL)
def test_both_headers_stand_in_every_mail_that_can_be_switched_off(
    cast: Cast, mailbox: Mailbox, settings: Settings, kind: str
) -> None:
    """L09."""
    address = one_click(cast, mailbox, kind)
    assert address.startswith(settings.PORTAL_URL)
    assert mailbox.taken[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = parse_qs(urlsplit(address).query)["token"][0]
    assert unsubscribing.read(token) == (cast.alice.user_id, KINDS[kind].topic)
    assert "unsubscribe" not in str(mailbox.taken[0].get_body(("plain",))), "forwarding a mail gives no power away"


def test_a_required_mail_offers_no_unsubscribing(cast: Cast, mailbox: Mailbox) -> None:
    make_notice(cast, "receipt")
    sending.send_waiting()
    assert mailbox.taken[0]["List-Unsubscribe"] is None


def test_a_post_without_cookies_works_and_a_repeat_is_the_same(cast: Cast, mailbox: Mailbox) -> None:
    """L07, L08: with the body that RFC 8058 names; no more reminders."""
    address = one_click(cast, mailbox)
    for _ in range(2):
        answer = Client(enforce_csrf_checks=True).post(path(address), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert "session" not in answer.cookies
    wait_again(Notification.objects.get())
    assert sending.send_waiting() == 0
    assert Notification.objects.get().reason == "switched off"


@pytest.mark.parametrize("method", ["get", "head"])
def test_what_a_scanner_opens_changes_nothing(cast: Cast, mailbox: Mailbox, method: str) -> None:
    """L07."""
    address = one_click(cast, mailbox)
    before = list(Preference.objects.values())
    assert getattr(Client(), method)(path(address)).status_code == 200
    assert list(Preference.objects.values()) == before


def test_a_forged_an_old_and_another_sites_token_are_refused(
    cast: Cast, mailbox: Mailbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L07, L13."""
    token = parse_qs(urlsplit(one_click(cast, mailbox)).query)["token"][0]
    others = signing.dumps([cast.charlie.user_id, "bills"], salt="another purpose")
    odd = signing.dumps(["x", "y", "z"], salt=unsubscribing.SALT)
    topic = signing.dumps([cast.alice.user_id, "nothing"], salt=unsubscribing.SALT)
    before = list(Preference.objects.values())
    for wrong in (token[:-1], f"{token}a", token.replace(":", "."), others, odd, topic, "", "a\0b"):
        for method in ("get", "post"):
            assert getattr(Client(), method)("/notifications/unsubscribe/", {"token": wrong}).status_code == 404
            assert Client().generic(method.upper(), f"/notifications/unsubscribe/?token={wrong}").status_code == 404
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600 * 24 * (unsubscribing.VALID_DAYS + 1))
    assert Client().post(f"/notifications/unsubscribe/?token={token}").status_code == 404
    assert list(Preference.objects.values()) == before


def test_it_switches_off_one_persons_one_topic(cast: Cast, mailbox: Mailbox) -> None:
    Client().post(path(one_click(cast, mailbox)))
    off = {row.kind for row in Preference.objects.filter(user=cast.alice.user, is_wanted=False)}
    assert off == {kind.name for kind in KINDS.values() if kind.topic == Topic.BILLS and not kind.is_required}
    assert not Preference.objects.exclude(user=cast.alice.user).exists()


def report(events: object, *, secret: str = SECRET, at: float | None = None) -> int:
    body = json.dumps({"events": events}).encode()
    signature = suppressing.sign(body, secret, int(time.time() if at is None else at))
    client = Client(enforce_csrf_checks=True, headers={"portal-signature": signature})
    return client.post("/webhooks/mail/", body, content_type="application/json").status_code


@pytest.fixture
def signed(settings: Settings) -> None:
    """The portal takes reports."""
    settings.MAIL_WEBHOOK_SECRET = SECRET


@pytest.mark.usefixtures("signed")
def test_a_mailbox_that_bounced_is_not_written_to_and_what_is_required_goes_by_letter(
    cast: Cast, mailbox: Mailbox
) -> None:
    """L08."""
    assert report([{"type": "bounced", "address": "Alice@Example.com", "id": "e1"}] * 2) == 200
    make_notice(cast, "receipt")
    make_notice(cast, "due_today")
    assert sending.send_waiting() == 0
    assert {notice.status for notice in Notification.objects.filter(channel="mail")} == {"kept"}
    assert [letter.kind for letter in Notification.objects.filter(channel="letter")] == ["receipt"]


@pytest.mark.usefixtures("signed")
def test_after_a_complaint_only_what_is_required_is_mailed(cast: Cast, mailbox: Mailbox) -> None:
    """L08, L16."""
    assert report([{"type": "complained", "address": "alice@example.com"}]) == 200
    make_notice(cast, "receipt")
    make_notice(cast, "due_today")
    assert sending.send_waiting() == 1
    assert mailbox.subjects() == ["Meridian Health: Your payment receipt"]


@pytest.mark.usefixtures("signed")
def test_a_bounce_outweighs_a_complaint_and_not_the_other_way(cast: Cast) -> None:
    for kind in ("complained", "bounced", "complained"):
        report([{"type": kind, "address": "alice@example.com"}])
    assert Suppression.objects.get().cause == "bounced"
    assert suppressing.lift("ALICE@example.com", actor="x")
    assert not suppressing.lift("alice@example.com", actor="x")


@pytest.mark.usefixtures("signed")
def test_what_is_not_signed_for_us_or_is_old_or_odd_is_refused(cast: Cast, settings: Settings) -> None:
    """C-series: the signature, its age, and what is in it."""
    bounced = [{"type": "bounced", "address": "alice@example.com"}]
    assert report(bounced, secret="another") == 400
    assert report(bounced, at=time.time() - 600) == 400
    assert report(bounced, at=time.time() + 600) == 400
    assert Client().post("/webhooks/mail/", b"{}", content_type="application/json").status_code == 400
    for odd in ("x", 5, None, [5], [{"type": "bounced"}], [{"type": "bounced", "address": "a@b\0c"}] * 1_001):
        assert report(odd) == 400
    settings.MAIL_WEBHOOK_SECRET = ""
    assert report(bounced, secret="") == 400
    assert not Suppression.objects.exists()


@pytest.mark.usefixtures("signed")
def test_what_tells_of_no_bounce_or_of_no_address_changes_nothing(cast: Cast) -> None:
    delivered = {"type": "delivered", "address": "alice@example.com"}
    assert report([delivered, {"type": "bounced", "address": "nobody"}]) == 200
    assert not Suppression.objects.exists()


def test_a_required_notice_cannot_be_switched_off_past_the_form(cast: Cast) -> None:
    with pytest.raises(preferences.RequiredNotice):
        preferences._set(cast.alice.user_id, KINDS["receipt"], "mail", is_wanted=False)
