"""Where the demo's mail goes: an SMTP server that keeps each message as an .eml file, and a page to read them on."""

import argparse
import email
import email.policy
import signal
import sys
import time
from email.message import EmailMessage
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import unquote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;background:#f3f3f3;padding:1rem}}iframe{{width:100%;height:36rem;border:1px solid #767676}}
td,th{{text-align:left;padding:.25rem 1rem .25rem 0}}</style><h1>{title}</h1>{body}"""

SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"


class Sink:
    """Keeps what it is sent; nothing goes out to anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message (the name is aiosmtpd's)."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        name = f"{time.time_ns()}.eml"
        partial = self._folder / f".{name}"
        partial.write_bytes(content)
        partial.rename(self._folder / name)
        return "250 Message accepted for delivery"


class Reader(BaseHTTPRequestHandler):
    """The page: a list, and each message with its text, its HTML (shut in a frame without scripts) and attachments."""

    folder: Path

    def do_GET(self) -> None:
        """Answer one request (the name is http.server's)."""
        parts = [unquote(part) for part in self.path.split("?")[0].split("/") if part]
        messages = {path.stem: path for path in sorted(self.folder.glob("*.eml"), reverse=True)}
        if not parts:
            self._send("text/html; charset=utf-8", _list(messages).encode())
        elif parts[0] not in messages:
            self.send_error(404)
        elif len(parts) == 1:
            self._send("text/html; charset=utf-8", _one(parts[0], _parse(messages[parts[0]])).encode())
        else:
            attachments = {part.get_filename(): part for part in _parse(messages[parts[0]]).iter_attachments()}
            if parts[1] not in attachments:
                return self.send_error(404)
            part = attachments[parts[1]]
            content = part.get_payload(decode=True)
            self._send(part.get_content_type(), content if isinstance(content, bytes) else b"")
        return None

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", SECURITY_POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a log of who read what serves nobody here."""


def _parse(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _list(messages: dict[str, Path]) -> str:
    rows = []
    for key, path in messages.items():
        message = _parse(path)
        rows.append(
            f"<tr><td>{escape(message['date'] or '')}</td><td>{escape(message['to'] or '')}</td>"
            f'<td><a href="/{key}">{escape(message["subject"] or "(no subject)")}</a></td></tr>'
        )
    table = f"<table><tr><th>When</th><th>To</th><th>Subject</th></tr>{''.join(rows)}</table>"
    introduction = "<p>Nothing here leaves this machine. Reload to see what is new.</p>"
    return PAGE.format(title="Mail of the demo", body=introduction + (table if rows else "<p>No mail yet.</p>"))


def _one(key: str, message: EmailMessage) -> str:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    attachments = "".join(
        f'<li><a href="/{key}/{escape(name)}">{escape(name)}</a></li>'
        for part in message.iter_attachments()
        if (name := part.get_filename())
    )
    body = (
        f'<p><a href="/">All mail</a></p><p>From {escape(message["from"] or "")}<br>To {escape(message["to"] or "")}'
        f"<br>{escape(message['date'] or '')}</p>"
    )
    if text is not None:
        body += f"<h2>Text</h2><pre>{escape(text.get_content())}</pre>"
    if html is not None:
        document = escape(html.get_content())
        body += f'<h2>HTML</h2><iframe sandbox="allow-popups" title="The mail as HTML" srcdoc="{document}"></iframe>'
    if attachments:
        body += f"<h2>Attachments</h2><ul>{attachments}</ul>"
    return PAGE.format(title=escape(message["subject"] or "(no subject)"), body=body)


def main() -> None:
    """Serve both until told to stop."""
    parser = argparse.ArgumentParser(prog="billing_portal.demo.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    Reader.folder = options.folder
    controller = Controller(Sink(options.folder), hostname="127.0.0.1", port=options.smtp_port)
    controller.start()
    signal.signal(signal.SIGTERM, _end)
    try:
        ThreadingHTTPServer(("127.0.0.1", options.http_port), Reader).serve_forever()
    finally:
        controller.stop()


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
