"""What the mail server took, against what the portal says that it sent (M16, L04): plain JSON against plain SQL."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.faults.book import Book
from tests.faults.oracle import Verdict

REPEATED = "sent again after its sender died"
SENT = "SELECT count(*) FROM notifications_notification WHERE status = 'sent' AND channel = 'mail'"
AGAIN = "SELECT count(*) FROM notifications_notification WHERE reason = %s"
STRANGERS = "SELECT a FROM unnest(%s::text[]) a WHERE NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.email = a)"


def taken(path: Path) -> list[tuple[str, Sequence[str]]]:
    """Every mail that the server said yes to, in its order: Message-ID and addresses."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(mail["id"], mail["to"]) for mail in map(json.loads, lines)]


def judge(verdict: Verdict, path: Path, book: Book) -> int:
    """Each mail once, but one more time where its sender died after the server's yes; to its one reader. How many."""
    found = taken(path)
    times = Counter(name for name, _to in found)
    twice = sum(count == 2 for count in times.values())
    again = book.one(AGAIN, REPEATED)
    verdict.hold("M16", max(times.values(), default=0) <= 2, "a mail went out three times")
    verdict.hold("M16", twice <= again, f"{twice} mails went out twice, and {again} say that their sender died")
    sent = book.one(SENT)
    verdict.hold("M16", sent <= len(times), f"{sent} notices say that they were sent, {len(times)} mails were taken")
    verdict.hold("M16", all(len(to) == 1 for _name, to in found), "a mail went to several")
    strangers = book.rows(STRANGERS, sorted({address for _name, to in found for address in to}))
    verdict.hold("M16", not strangers, f"mails went to {strangers[:3]}")
    return len(found)
