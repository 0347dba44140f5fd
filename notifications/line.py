"""The line to the mail server: one connection for up to MOST_MESSAGES mails, encrypted or not used at all.

By SMTP, or by a provider's API (`django-anymail`) where EMAIL_BACKEND names one; what either refuses becomes a
Refusal, for good or for now.
"""

import smtplib
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

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

    Who writes to whom is said by a thread of its own while the caller commits that the mail is begun (`offer`): the two
    waits are about as long. The text follows when the caller asks for it, and nothing is delivered without it.
    """

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._composer = Composer()
        self._speaker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
        self._offered: Future[Letter | None] | None = None
        self._sent = 0
        self._next_at = 0.0

    def offer(self, notice: Notification, mail: Mail) -> None:
        """Begin to speak of a mail. What the server says of it, `send` says."""
        if self._sent >= MOST_MESSAGES:
            self._hang_up()
        if self._connection is None:
            self._connection = get_connection()
        self._offered = self._speaker.submit(self._address, self._connection, notice, mail)

    def withdraw(self) -> None:
        """What was offered is not to be sent."""
        self._wait()
        self._hang_up()

    def send(self, notice: Notification, mail: Mail) -> None:
        """Send the mail that was offered. Raises Refusal, ServerAway, and ValueError for a header that cannot be."""
        self._pace()
        try:
            self._say(notice, mail)
        except smtplib.SMTPRecipientsRefused as refusal:
            code = max(code for code, _words in refusal.recipients.values())
            raise Refusal(code, is_final=code >= FAULT_OF_SERVER) from refusal
        except smtplib.SMTPDataError as refusal:
            raise Refusal(refusal.smtp_code, is_final=refusal.smtp_code >= FAULT_OF_SERVER) from refusal
        except AnymailRecipientsRefused as refusal:
            raise Refusal(0, is_final=True) from refusal
        except AnymailAPIError as error:
            code = error.status_code or 0
            if code == TOO_MANY or code >= FAULT_OF_SERVER or not code:
                raise ServerAway(type(error).__name__) from error
            raise Refusal(code, is_final=True) from error
        except (OSError, smtplib.SMTPException) as error:  # no connection, no TLS, no sign-in, or silence
            raise ServerAway(type(error).__name__) from error

    def close(self) -> None:
        """End it, once what was offered is said."""
        self._wait()
        self._hang_up()
        self._speaker.shutdown()

    def _say(self, notice: Notification, mail: Mail) -> None:
        offered, self._offered = self._offered, None
        assert offered is not None, "a mail is offered before it is sent"
        try:
            letter, server = offered.result(), getattr(self._connection, "connection", None)
            if letter is not None and isinstance(server, smtplib.SMTP):
                code, words = server.data(letter.content)
                if code != TAKEN:
                    raise smtplib.SMTPDataError(code, words)
            else:
                message = composing.message(notice, mail)
                message.connection = self._connection
                message.send()
            self._sent += 1
        except Exception:
            self._hang_up()
            raise

    def _address(self, connection: BaseEmailBackend, notice: Notification, mail: Mail) -> Letter | None:
        """See that a line is open, and say who writes to whom, as `sendmail` of smtplib does before it sends a text.

        None where the backend says it with the whole message.
        """
        if connection.open():
            _refuse_clear_text(connection)
        server = getattr(connection, "connection", None)
        if not isinstance(server, smtplib.SMTP) or (letter := self._composer.letter(notice, mail)) is None:
            return None
        server.ehlo_or_helo_if_needed()
        code, words = server.mail(letter.sender, [f"size={len(letter.content)}"] if server.has_extn("size") else [])
        if code != TAKEN:
            raise smtplib.SMTPSenderRefused(code, words, letter.sender)
        code, words = server.rcpt(letter.recipient)
        if code not in (TAKEN, FORWARDED):
            raise smtplib.SMTPRecipientsRefused({letter.recipient: (code, words)})
        return letter

    def _wait(self) -> None:
        if self._offered is not None:
            wait([self._offered])
            self._offered = None

    def _hang_up(self) -> None:
        standing, self._connection, self._sent = self._connection, None, 0
        if standing is not None:
            try:
                standing.close()
            except OSError:
                return

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
