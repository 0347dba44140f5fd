"""Messages that are filled in from a form are, header for header and word for word, those that Django builds."""

import email
import email.policy
import time
from dataclasses import replace
from email.message import EmailMessage

import pytest
from pytest_django import Settings

from accounts.models import User
from notifications import claiming, composing, deciding
from notifications.composing import Composer
from notifications.kinds import KINDS
from notifications.models import Notification, Preference
from notifications.rendering import Mail
from tests.conftest import Cast
from tests.factories import make_bill
from tests.notifications.telling import make_notice
from tests.smtp import bodies


def decided() -> list[tuple[Notification, Mail]]:
    """What is to be sent of all that is due."""
    return deciding.decide(claiming.claimed(claiming.claim())).to_send


def parsed(content: bytes) -> EmailMessage:
    """A message as a mailbox reads it."""
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_filled_form_is_the_message_that_would_be_built(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, language: str
) -> None:
    """L01, L09, L17: the same headers, unsubscribe among them, the same text and HTML; only the date may differ."""
    User.objects.filter(pk=cast.alice.user_id).update(language=language)
    make_notice(cast, kind)
    Preference.objects.create(user=cast.alice.user, kind=kind, channel="mail", is_wanted=True)
    ((notice, mail),) = decided()
    monkeypatch.setattr(time, "time", lambda: 1_795_000_000.0)  # the address to unsubscribe is signed with its second
    letter = Composer().letters([(notice, mail)])[notice.pk]
    assert letter is not None, "every kind has a form"
    filled = parsed(letter.content)
    built = parsed(composing.message(notice, mail).message().as_bytes(linesep="\r\n"))
    assert sorted(filled.keys()) == sorted(built.keys())
    for name in set(filled.keys()) - {"Date", "Content-Type"}:
        assert filled[name].strip() == built[name].strip(), name
    assert filled.get_content_type() == built.get_content_type()
    assert bodies(filled) == bodies(built)
    assert b".invalid" not in letter.content
    assert (letter.sender, letter.recipient) == (settings.DEFAULT_FROM_EMAIL, "alice@example.com")


def test_two_mails_of_one_form_hold_nothing_of_each_other(cast: Cast) -> None:
    """L02, L13: each has its own recipient, id, address to unsubscribe, and link."""
    for user in (cast.alice.user, cast.charlie.user):
        member = cast.alice if user == cast.alice.user else cast.charlie
        number = make_bill(member).number
        Notification.objects.create(kind="new_bill", subject=f"bill:{number}", user=user, dedupe_key=f"new:{number}")
    pairs = decided()
    first, second = Composer().letters(pairs).values()
    assert first is not None
    assert second is not None
    for letter, other in ((first, pairs[1]), (second, pairs[0])):
        assert other[1].address.encode() not in letter.content
        assert other[1].path.encode() not in letter.content
    assert parsed(first.content)["Message-ID"] != parsed(second.content)["Message-ID"]


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "alice@example.com\r\nBcc: eve@example.com"},
        {"address": "älice@example.com"},
        {"address": '"alice b"@example.com'},
        {"path": "/bills/1/\r\nBcc: eve@example.com"},
        {"path": "/bills/?a=1&b=2"},
        {"path": "/" + "b" * 500},
        {"form": None},
    ],
)
def test_what_is_not_plain_is_built_by_itself(cast: Cast, changes: dict[str, str]) -> None:
    """L12: nothing that could break a header or a line is filled in; Django builds it, or refuses it."""
    make_notice(cast)
    ((notice, mail),) = decided()
    other = replace(mail, **changes)  # type: ignore[arg-type]
    assert Composer().letters([(notice, other)]) == {notice.pk: None}


def test_a_form_whose_header_is_refused_is_no_form(cast: Cast) -> None:
    """L12: what Django refuses of it is said of each mail when it is sent, and stops no other."""
    make_notice(cast)
    ((notice, mail),) = decided()
    assert mail.form is not None
    other = replace(mail, form=replace(mail.form, subject="Your bill\nBcc: eve@example.com"))
    assert Composer().letters([(notice, other)]) == {notice.pk: None}
