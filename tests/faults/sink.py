"""The mail server of the fault plan, in a process of its own: says yes to every mail, once it has written it down.

Started by `python -m aiosmtpd -c tests.faults.sink.Kept FILE`: a line a mail, with its Message-ID and its addresses.
"""

import argparse
import email
import json
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Kept:
    """Writes down what it takes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def from_cli(cls, _parser: argparse.ArgumentParser, *arguments: str) -> "Kept":
        """As aiosmtpd makes it from its command line."""
        return cls(Path(arguments[0]))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take one message (the name is aiosmtpd's)."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        name = str(email.message_from_bytes(content)["Message-ID"])
        with self.path.open("a") as file:
            file.write(json.dumps({"id": name, "to": envelope.rcpt_tos}) + "\n")
        return "250 taken"
