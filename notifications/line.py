"""The line to the mail server: one connection for up to MOST_MESSAGES mails, encrypted or not used at all.

By SMTP, or by a provider's API (`django-anymail`) where EMAIL_BACKEND names one; what either refuses becomes a
Refusal, for good or for now.
"""

import smtplib
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from notifications import composing
from notifications.composing import Composer, Letter
from notifications.models import Notification
from notifications.rendering import Mail

MOST_MESSAGES = 100
TOO_MANY = 429
FAULT_OF_SERVER = 500
TAKEN, FORWARDED = 250, 251  # RFC 5321, 4.2.3


class Refusal(Exception):
    """The server refused this one mail: for good, or for now."""

    def __init__(self, code: int, *, is_final: bool) -> None:
        super().__init__(str(code))
        self.code, self.is_final = code, is_final


class ServerAway(Exception):
    """The mail server did not take part: nothing more is tried in this run."""


class Line:
    """One connection at a time; given up at the first fault, so that none is used half open.

    Who writes to whom is said while the caller commits that the mail is begun: `offer` does not wait for what the
    server says of it, `send` reads that. The text follows then: nothing is delivered without it (docs/decisions/2131).
    """

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._composer = Composer()
        self._letters: dict[int, Letter | None] = {}
        self._sent = 0
        self._next_at = 0.0

    def compose(self, to_send: Iterable[tuple[Notification, Mail]]) -> None:
        """Compose what is to be sent next; a message that differs from its form is built when it is sent."""
        self._letters = self._composer.letters(to_send)

    def offer(self, notice: Notification) -> None:
        """Begin to speak of a mail. What the server says of it, `send` says. Raises ServerAway."""
        if self._sent >= MOST_MESSAGES:
            self.hang_up()
        if self._connection is None:
            self._connection = get_connection()
        with self._as_refusals():
            if self._connection.open():
                _refuse_clear_text(self._connection)
            letter = self._letters.get(notice.pk)
            if (server := self._server()) is not None and letter is not None:
                _say_envelope(server, letter)

    def send(self, notice: Notification, mail: Mail) -> None:
        """Send the mail that was offered. Raises Refusal, ServerAway, and ValueError for a header that cannot be."""
        self._pace()
        with self._as_refusals():
            letter = self._letters.get(notice.pk)
            if (server := self._server()) is not None and letter is not None:
                _say_text(server, letter)
            else:
                message = composing.message(notice, mail)
                message.connection = self._connection
                message.send()
        self._sent += 1

    def hang_up(self) -> None:
        """End the connection; what was offered on it is not sent."""
        standing, self._connection, self._sent = self._connection, None, 0
        if standing is not None:
            try:
                standing.close()
            except OSError:
                return

    @contextmanager
    def _as_refusals(self) -> Iterator[None]:
        """Hang up at any fault, and say which it is: Refusal of one mail, or ServerAway."""
        try:
            yield
        except Exception as error:
            self.hang_up()
            if (named := _named(error)) is None:
                raise
            raise named from error

    def _server(self) -> smtplib.SMTP | None:
        """The mail server, where the backend speaks SMTP; others take the whole message at once."""
        server = getattr(self._connection, "connection", None)
        return server if isinstance(server, smtplib.SMTP) else None

    def _pace(self) -> None:
        """Wait for this sender's turn: at most EMAIL_PER_SECOND mails a second, without a limit where that is 0."""
        if not settings.EMAIL_PER_SECOND:
            return
        now = time.monotonic()
        if now < self._next_at:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 1 / settings.EMAIL_PER_SECOND


def _refuse_clear_text(connection: BaseEmailBackend) -> None:
    """Where TLS is asked for, and always in production, the line is encrypted or nothing is said on it (FAULTS L10)."""
    wants_tls = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or settings.IS_SECURE
    line = getattr(connection, "connection", None)
    if wants_tls and line is not None and not isinstance(line.sock, ssl.SSLSocket):
        raise ssl.SSLError("the line to the mail server is not encrypted")


def _named(error: Exception) -> Exception | None:
    """What a fault of the library means; None for what is no answer of a server."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code = max(code for code, _words in error.recipients.values())
            return Refusal(code, is_final=code >= FAULT_OF_SERVER)
        case smtplib.SMTPDataError():
            return Refusal(error.smtp_code, is_final=error.smtp_code >= FAULT_OF_SERVER)
        case AnymailRecipientsRefused():
            return Refusal(0, is_final=True)
        case AnymailAPIError():
            code = error.status_code or 0
            if code == TOO_MANY or code >= FAULT_OF_SERVER or not code:
                return ServerAway(type(error).__name__)
            return Refusal(code, is_final=True)
        case OSError() | smtplib.SMTPException():  # no connection, no TLS, no sign-in, or silence
            return ServerAway(type(error).__name__)
    return None


def _takes_two(server: smtplib.SMTP) -> bool:
    return server.has_extn("pipelining")


def _say_envelope(server: smtplib.SMTP, letter: Letter) -> None:
    """MAIL, and RCPT with it where the server takes commands before it has answered (RFC 2920)."""
    server.ehlo_or_helo_if_needed()
    size = f" SIZE={len(letter.content)}" if server.has_extn("size") else ""
    recipient = f"RCPT TO:<{letter.recipient}>\r\n" if _takes_two(server) else ""
    server.send(f"MAIL FROM:<{letter.sender}>{size}\r\n{recipient}")


def _say_text(server: smtplib.SMTP, letter: Letter) -> None:
    """The rest of what `sendmail` of smtplib says, once the server took the envelope."""
    code, words = server.getreply()
    if code != TAKEN:
        raise smtplib.SMTPSenderRefused(code, words, letter.sender)
    recipient = f"TO:<{letter.recipient}>"
    code, words = server.getreply() if _takes_two(server) else server.docmd("RCPT", recipient)
    if code not in (TAKEN, FORWARDED):
        raise smtplib.SMTPRecipientsRefused({letter.recipient: (code, words)})
    code, words = server.data(letter.content)
    if code != TAKEN:
        raise smtplib.SMTPDataError(code, words)
