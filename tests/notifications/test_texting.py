"""Text messages: to a number that was confirmed by its code, until STOP, by day, and few."""

import datetime as dt
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications import preferences, sending, suppressing, texting
from notifications.models import Delivery, Notification
from tests.conftest import Cast
from tests.notifications.telling import due_again, make_notice
from tests.smtp import Mailbox

NUMBER = "+15105550142"
NOON = timezone.make_aware(dt.datetime(2026, 12, 1, 12))


@pytest.fixture(autouse=True)
def sent(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts are offered, written into a file, and it is noon."""
    settings.SMS_BACKEND = "notifications.texting.FileBackend"
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    return tmp_path / "texts.jsonl"


def texts(sent: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sent.read_text().splitlines()] if sent.exists() else []


def code_in(sent: Path) -> str:
    found = re.search(r"\b([0-9]{6})\b", texts(sent)[-1]["words"])
    assert found
    return found[1]


def takes_texts(cast: Cast, kind: str = "receipt") -> None:
    Delivery.objects.create(user=cast.alice.user, text_number=NUMBER, text_confirmed_at=NOON)
    preferences.choose(cast.alice.user, {(kind, "text")}, channels=["text"])


def test_a_number_is_confirmed_by_the_code_it_was_sent(cast: Cast, sent: Path) -> None:
    texting.ask_for(cast.alice.user, NUMBER)
    assert texts(sent)[0]["number"] == NUMBER
    assert not Delivery.objects.get().takes_texts
    texting.confirm(cast.alice.user, NUMBER, code_in(sent))
    assert Delivery.objects.get().takes_texts
    assert oct(sent.stat().st_mode)[-3:] == "600"


def test_another_code_number_or_person_and_an_old_code_are_refused(
    cast: Cast, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texting.ask_for(cast.alice.user, NUMBER)
    code = code_in(sent)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for user, number, said in ((cast.alice.user, NUMBER, wrong), (cast.alice.user, "+15105550199", code),
                               (cast.charlie.user, NUMBER, code), (cast.alice.user, NUMBER, "")):  # fmt: skip
        with pytest.raises(texting.CodeRefused):
            texting.confirm(user, number, said)
    monkeypatch.setattr(timezone, "now", lambda: NOON + texting.CODE_LIFE + dt.timedelta(seconds=1))
    with pytest.raises(texting.CodeRefused):
        texting.confirm(cast.alice.user, NUMBER, code)


def test_a_code_cannot_be_found_by_trying_nor_used_twice(cast: Cast, sent: Path) -> None:
    texting.ask_for(cast.alice.user, NUMBER)
    code = code_in(sent)
    for _ in range(texting.MAX_CODE_TRIES):
        with pytest.raises(texting.CodeRefused):
            texting.confirm(cast.alice.user, NUMBER, "x")
    with pytest.raises(texting.CodeRefused):
        texting.confirm(cast.alice.user, NUMBER, code)
    texting.ask_for(cast.alice.user, NUMBER)
    code = code_in(sent)
    texting.confirm(cast.alice.user, NUMBER, code)
    with pytest.raises(texting.CodeRefused):
        texting.confirm(cast.alice.user, NUMBER, code)


def test_codes_are_few(cast: Cast, sent: Path) -> None:
    """Nobody is pestered, and nobody's bill is run up."""
    for _ in range(texting.CODES_PER_USER.amount):
        texting.ask_for(cast.alice.user, NUMBER)
    with pytest.raises(texting.TooMany):
        texting.ask_for(cast.alice.user, NUMBER)
    with pytest.raises(texting.TooMany):
        texting.ask_for(cast.charlie.user, NUMBER)


def test_a_notice_goes_by_text_where_that_was_chosen_and_says_no_more_than_the_mail(
    cast: Cast, sent: Path, mailbox: Mailbox
) -> None:
    """L01."""
    takes_texts(cast)
    make_notice(cast, "receipt")
    make_notice(cast, "due_today")
    sending.send_waiting()
    (said,) = texts(sent)
    assert said["number"] == NUMBER
    assert "receipt" in said["words"] and "STOP" in said["words"]
    assert not re.search(r"\$|Maya|Rivera|Oakridge|Outpatient", said["words"])
    assert len(mailbox.taken) == 2
    assert sending.send_waiting() == 0
    assert len(texts(sent)) == 1
    assert Notification.objects.visible_to(cast.alice.user).count() == 2, "the portal lists a notice once"


def test_no_text_goes_out_unasked_unconfirmed_or_after_stop(cast: Cast, sent: Path, mailbox: Mailbox) -> None:
    make_notice(cast, "receipt")
    sending.send_waiting()
    takes_texts(cast)
    texting.answered(NUMBER, " Stop. ")
    make_notice(cast, "receipt")
    sending.send_waiting()
    Delivery.objects.update(text_stopped_at=None, text_confirmed_at=None)
    make_notice(cast, "receipt")
    sending.send_waiting()
    assert texts(sent) == []


def test_stop_holds_for_texts_that_wait_already(cast: Cast, sent: Path, mailbox: Mailbox) -> None:
    takes_texts(cast)
    make_notice(cast, "receipt", channel="text")
    texting.answered(NUMBER, "STOP")
    sending.send_waiting()
    assert texts(sent) == []
    assert Notification.objects.get().status == "dropped"


def test_no_text_comes_by_night(cast: Cast, sent: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    takes_texts(cast)
    notice = make_notice(cast, "receipt", channel="text")
    monkeypatch.setattr(timezone, "now", lambda: NOON + dt.timedelta(hours=10))
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert timezone.localtime(notice.next_try_at).hour == 8
    monkeypatch.setattr(timezone, "now", lambda: NOON + dt.timedelta(hours=20))
    due_again(notice)
    assert sending.send_waiting() == 1


def test_one_number_gets_few_texts_a_day(cast: Cast, sent: Path, mailbox: Mailbox) -> None:
    takes_texts(cast)
    for _ in range(texting.TEXTS_PER_NUMBER.amount + 2):
        make_notice(cast, "receipt", channel="text")
    sending.send_waiting()
    assert len(texts(sent)) == texting.TEXTS_PER_NUMBER.amount
    assert Notification.objects.filter(reason="too many texts to this number").count() == 2


def test_a_reply_is_taken_only_signed(cast: Cast, settings: Settings) -> None:
    settings.SMS_WEBHOOK_SECRET = "texts"
    takes_texts(cast)

    def reply(words: str, secret: str) -> int:
        body = json.dumps({"number": NUMBER, "words": words}).encode()
        signature = suppressing.sign(body, secret, int(time.time()))
        client = Client(enforce_csrf_checks=True, headers={"portal-signature": signature})
        return client.post("/webhooks/texts/", body, content_type="application/json").status_code

    assert reply("STOP", "another") == 400
    assert Delivery.objects.get().takes_texts
    assert reply("alto", "texts") == 200
    assert not Delivery.objects.get().takes_texts
    assert reply("start", "texts") == 200
    assert Delivery.objects.get().takes_texts


def test_without_a_backend_nothing_is_offered(cast: Cast, settings: Settings, sent: Path, mailbox: Mailbox) -> None:
    takes_texts(cast)
    settings.SMS_BACKEND = ""
    client = Client()
    client.force_login(cast.alice.user)
    assert b"Text messages" not in client.get("/settings/notifications/").content
    assert client.post("/settings/notifications/texts/", {"number": "510-555-0142"}).status_code == 404
    make_notice(cast, "receipt")
    sending.send_waiting()
    assert texts(sent) == []


def test_the_page_leads_from_number_to_code_to_choice(cast: Cast, sent: Path) -> None:
    client = Client()
    client.force_login(cast.alice.user)
    page = "/settings/notifications/texts/"
    for odd in ("", "911", "510-555-014", "+44 20 7946 0000", "5" * 30, "\u0665105550142"):
        assert client.post(page, {"number": odd}).status_code == 422
    assert client.post(page, {"number": "(510) 555-0142"}).status_code == 302
    assert client.post(page, {"code": "00000"}).status_code == 422
    assert client.post(page, {"code": code_in(sent)}).status_code == 302
    assert Delivery.objects.get().text_number == NUMBER
    shown = client.get("/settings/notifications/").content.decode()
    assert "ending in 0142" in shown and "5105550142" not in shown
    client.post(page, {"forget": "1"})
    assert Delivery.objects.get().text_number == ""
