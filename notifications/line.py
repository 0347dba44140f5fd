"""The line to the mail server: one connection for up to MOST_MESSAGES mails, encrypted or not used at all.

By SMTP, or by a provider's API (`django-anymail`) where EMAIL_BACKEND names one; what either refuses becomes a
Refusal, for good or for now.
"""

import smtplib
import ssl
import time

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from notifications import composing
from notifications.composing import Composer
from notifications.models import Notification
from notifications.rendering import Mail

MOST_MESSAGES = 100
TOO_MANY = 429
FAULT_OF_SERVER = 500


class Refusal(Exception):
    """The server refused this one mail: for good, or for now."""

    def __init__(self, code: int, *, is_final: bool) -> None:
        super().__init__(str(code))
        self.code, self.is_final = code, is_final


class ServerAway(Exception):
    """The mail server did not take part: nothing more is tried in this run."""


class Line:
    """One connection at a time; given up at the first fault, so that none is used half open."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._composer = Composer()
        self._sent = 0
        self._next_at = 0.0

    def send(self, notice: Notification, mail: Mail) -> None:
        """Send the mail of a notice. Raises Refusal, ServerAway, and ValueError for a header that cannot be."""
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
        """Hang up."""
        standing, self._connection, self._sent = self._connection, None, 0
        if standing is not None:
            try:
                standing.close()
            except OSError:
                return

    def _say(self, notice: Notification, mail: Mail) -> None:
        if self._sent >= MOST_MESSAGES:
            self.close()
        try:
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
                _refuse_clear_text(self._connection)
            server = self._connection.connection if isinstance(self._connection, EmailBackend) else None
            letter = self._composer.letter(notice, mail) if isinstance(server, smtplib.SMTP) else None
            if isinstance(server, smtplib.SMTP) and letter is not None:
                server.sendmail(letter.sender, [letter.recipient], letter.content)
            else:
                message = composing.message(notice, mail)
                message.connection = self._connection
                message.send()
            self._sent += 1
        except Exception:
            self.close()
            raise

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
