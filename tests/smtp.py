"""A mail server for tests: a real SMTP conversation on a port of its own, and what it was sent."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from tests.stripe_sandbox.conftest import free_port


@dataclass
class Mailbox:
    """What the server took; `answers` are given to the next messages instead of its yes, `doubts` to recipients."""

    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)  # what it can do beside (RFC 5321, 2.2)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        """Say what it can do."""
        session.host_name = hostname
        return [*answers[:-1], *(f"250-{offer}" for offer in self.offers), answers[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or answer as planned."""
        answer = self.doubts.pop(0) if self.doubts else "250 known"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take one message, or answer as planned (the name is aiosmtpd's)."""
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("2"):
            content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
            found = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            self.taken.append(found)
            self.recipients += envelope.rcpt_tos
        return answer

    def subjects(self) -> list[str]:
        """The subjects, in the order taken."""
        return [str(message["Subject"]) for message in self.taken]


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """The portal's mail server for one test, without TLS."""
    kept = Mailbox()
    port = free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = False
    yield kept
    controller.stop()


def bodies(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML of a message."""
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def whole(message: EmailMessage) -> str:
    """All that a message says, as it is read: its headers but the one with the random boundary, text and HTML."""
    headers = [f"{name}: {value}" for name, value in message.items() if name.lower() != "content-type"]
    return "\n".join((*headers, *bodies(message)))
