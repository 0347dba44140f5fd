"""The messages of notices. What is alike in many is built once, as bytes, and only what differs is filled in.

Building a MIME message costs more than all else about a mail. Messages of one form differ by their recipient, date, id,
address to unsubscribe, and link: the form is built with marks in those places. Whatever is not plain ASCII, or would
not stand in the form as it stands in a message of its own, is built by Django as any other.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.utils.html import escape

from notifications import unsubscribing
from notifications.kinds import KINDS, Kind
from notifications.models import Notification
from notifications.rendering import ANYWHERE, Form, Mail

LINESEP = "\r\n"
LONGEST_LINE = 998  # RFC 5322, 2.1.1
LONGEST_VALUE = 400  # of what is filled in
ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
# What stands in a form for what is filled in. Each appears nowhere else.
RECIPIENT, MESSAGE_ID, DATE = "recipient@form.invalid", "<id@form.invalid>", "Thu, 01 Jan 1970 00:00:00 -0000"
UNSUBSCRIBE = "<https://form.invalid/unsubscribe>"
HEADERS = (RECIPIENT, MESSAGE_ID, DATE, UNSUBSCRIBE)
MARKS = re.compile("|".join(f"({re.escape(mark)})" for mark in (*HEADERS, ANYWHERE)).encode())


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is said to a mail server."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A form's bytes, cut at its marks: every second piece is the name of one."""

    sender: str
    pieces: tuple[bytes, ...]


class Composer:
    """Composes messages; keeps what it built for the forms of one run."""

    def __init__(self) -> None:
        self._cuts: dict[Form, Cut | None] = {}

    def letters(self, to_send: Iterable[tuple[Notification, Mail]]) -> dict[int, Letter | None]:
        """Messages for a mail server, by the notice's id; None where one has to be built by itself."""
        date = formatdate(localtime=settings.EMAIL_USE_LOCALTIME)
        return {notice.pk: self._letter(notice, mail, date) for notice, mail in to_send}

    def _letter(self, notice: Notification, mail: Mail, date: str) -> Letter | None:
        if mail.form is None or not ADDRESS.fullmatch(mail.address):
            return None
        if mail.form not in self._cuts:
            self._cuts[mail.form] = _cut(mail.form, KINDS[notice.kind])
        cut = self._cuts[mail.form]
        filled = _filled(notice, mail, date) if cut is not None else None
        if cut is None or filled is None:
            return None
        return Letter(cut.sender, mail.address, b"".join(filled.get(piece, piece) for piece in cut.pieces))


def message(notice: Notification, mail: Mail) -> EmailMultiAlternatives:
    """The message of a notice, with the headers that machines read."""
    kind = KINDS[notice.kind]
    unsubscribe = unsubscribing.headers(notice.user_id or 0, kind)
    return _message(mail.subject, mail.text, mail.html, mail.address, _message_id(notice), mail.language, unsubscribe)


def _message(
    subject: str, text: str, html: str, address: str, message_id: str, language: str, more: dict[str, str]
) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": message_id,  # the same for a repeat, so that a mailbox can tell
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's autoresponder answers it (FAULTS L16)
        "Content-Language": language,
        **more,
    }
    made = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [address], headers=headers)
    made.attach_alternative(html, "text/html")
    return made


def _message_id(notice: Notification) -> str:
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    digest = hashlib.sha256(f"{settings.SECRET_KEY}:notice:{notice.pk}".encode()).hexdigest()[:24]
    return f"<{digest}@{host}>"


def _cut(form: Form, kind: Kind) -> Cut | None:
    """A form with marks, cut at them; None where a mark did not come through as it is, or a header is refused."""
    more = {"Date": DATE} | unsubscribing.headers(0, kind)
    if not kind.is_required:
        more["List-Unsubscribe"] = UNSUBSCRIBE
    made = _message(form.subject, form.text, form.html, RECIPIENT, MESSAGE_ID, form.language, more)
    try:
        content = made.message().as_bytes(linesep=LINESEP)  # type: ignore[call-arg]  # Django adds it, unlike its stubs
    except BadHeaderError:
        return None
    counts = {mark: content.count(mark.encode()) for mark in (*HEADERS, ANYWHERE)}
    expected = dict.fromkeys(HEADERS, 1) | {
        UNSUBSCRIBE: 0 if kind.is_required else 1,
        ANYWHERE: form.text.count(ANYWHERE) + form.html.count(ANYWHERE),
    }
    longest = max(len(line) for line in content.split(LINESEP.encode()))
    if counts != expected or longest + LONGEST_VALUE > LONGEST_LINE:
        return None
    pieces = tuple(piece for piece in MARKS.split(content) if piece is not None)
    return Cut(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], pieces)


def _filled(notice: Notification, mail: Mail, date: str) -> dict[bytes, bytes] | None:
    """What is filled in, by its mark; None where any of it could break a line or needs encoding."""
    values = {
        RECIPIENT: mail.address,
        MESSAGE_ID: _message_id(notice),
        DATE: date,
        UNSUBSCRIBE: unsubscribing.headers(notice.user_id or 0, KINDS[notice.kind]).get("List-Unsubscribe", ""),
        ANYWHERE: mail.path,
    }
    if escape(mail.path) != mail.path or not all(map(_is_plain, values.values())):
        return None
    return {mark.encode(): value.encode() for mark, value in values.items()}


def _is_plain(value: str) -> bool:
    return value.isascii() and (not value or value.isprintable()) and len(value) <= LONGEST_VALUE
