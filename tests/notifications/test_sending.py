"""How the queue behaves: by a provider's API, paced, quick things before bulk, one broken kind not stopping others."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from notifications import bill_notices, claiming, line, sending
from notifications.kinds import KINDS
from notifications.models import Notification, Queued
from tests.conftest import Cast
from tests.factories import make_bill
from tests.notifications.telling import due_again, hush, make_notice
from tests.smtp import Mailbox
from tests.stripe_sandbox.conftest import free_port

INACTIVE = (
    "You tried to send to a recipient that has been marked as inactive.\n Found inactive addresses: alice@example.com."
    "\n Inactive recipients are ones that have generated a hard bounce or a spam complaint."
)


class Provider(BaseHTTPRequestHandler):
    """A mail provider's API that answers as told."""

    answers: list[tuple[int, dict[str, object]]]
    asked: list[dict[str, object]]

    def do_POST(self) -> None:
        """Answer the next planned thing, or yes (the name is http.server's)."""
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        yes = {"ErrorCode": 0, "Message": "OK", "MessageID": "m", "To": "alice@example.com", "SubmittedAt": "x"}
        status, body = self.answers.pop(0) if self.answers else (200, yes)
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def api(settings: Settings) -> Iterator[type[Provider]]:
    """The portal sends by this provider's API."""
    handler = type("Planned", (Provider,), {"answers": [], "asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    url = f"http://127.0.0.1:{server.server_port}/"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": url}
    yield handler
    server.shutdown()
    server.server_close()


def test_mail_leaves_by_a_providers_api_with_the_same_headers(cast: Cast, api: type[Provider]) -> None:
    """L09, L17."""
    make_notice(cast, "due_today")
    assert sending.send_waiting() == 1
    (said,) = api.asked
    headers = {header["Name"]: header["Value"] for header in said["Headers"]}  # type: ignore[attr-defined]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert said["TextBody"] and said["HtmlBody"]
    assert said["To"] == "alice@example.com"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (500, {}, "waiting"),
        (429, {}, "waiting"),
        (422, {"ErrorCode": 300, "Message": "Invalid 'From' address"}, "failed"),
        (422, {"ErrorCode": 406, "Message": INACTIVE}, "failed"),
    ],
)
def test_what_a_provider_refuses_for_now_waits_and_for_good_ends(
    cast: Cast, api: type[Provider], status: int, body: dict[str, object], outcome: str
) -> None:
    """L11."""
    api.answers = [(status, body)]
    notice = make_notice(cast, "receipt")
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert notice.status == outcome
    if outcome == "waiting":
        due_again(notice)
        assert sending.send_waiting() == 1


def test_a_sender_keeps_to_the_rate_that_is_set(cast: Cast, mailbox: Mailbox, settings: Settings) -> None:
    """L15."""
    settings.EMAIL_PER_SECOND = 20
    for kind in list(KINDS)[:11]:
        make_notice(cast, kind)
    began = time.monotonic()
    sent = sending.send_waiting()
    assert sent >= 10
    assert time.monotonic() - began >= (sent - 1) / 20


def test_a_hundred_reminders_fall_due_one_after_the_other_so_that_a_receipt_goes_between(
    cast: Cast, mailbox: Mailbox, settings: Settings
) -> None:
    """L15."""
    settings.EMAIL_PER_SECOND = 0.01
    for _ in range(5):
        make_bill(cast.maya, due_on=timezone.localdate() + dt.timedelta(days=3))
    hush()
    bill_notices.remind(timezone.localdate())
    settings.EMAIL_PER_SECOND = 0
    due = list(Notification.objects.order_by("next_try_at").values_list("next_try_at", flat=True))
    assert [(later - sooner).total_seconds() for sooner, later in zip(due, due[1:], strict=False)] == [100.0] * 4
    make_notice(cast, "receipt")
    assert sending.send_waiting() == 1
    assert mailbox.subjects() == ["Meridian Health: Your payment receipt"]


def test_one_connection_serves_a_hundred_mails(cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(line, "MOST_MESSAGES", 3)
    original = line.get_connection
    monkeypatch.setattr(line, "get_connection", lambda: opened.append(1) or original())
    for kind in ("receipt", "refund_sent", "refund_failed", "method_kept", "method_removed", "due_today", "new_bill"):
        make_notice(cast, kind)
    assert sending.send_waiting() == 7
    assert len(opened) == 3


def test_a_kind_whose_template_is_broken_or_gone_stops_no_other(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M11."""
    broken, gone, odd, good = (make_notice(cast, kind) for kind in ("due_today", "receipt", "method_kept", "new_bill"))
    Notification.objects.filter(pk=gone.pk).update(kind="no_longer_a_kind")
    Notification.objects.filter(pk=odd.pk).update(subject="nothing:known")
    from dataclasses import replace

    monkeypatch.setitem(KINDS, "due_today", replace(KINDS["due_today"], folder="nowhere"))
    assert sending.send_waiting() == 1
    statuses = dict(Notification.objects.values_list("pk", "status"))
    assert statuses == {broken.pk: "failed", gone.pk: "dropped", odd.pk: "dropped", good.pk: "sent"}


def test_what_is_held_for_later_costs_the_queue_nothing(cast: Cast) -> None:
    """The claim walks what is due, in the order in which it fell due."""
    Notification.objects.bulk_create(
        Notification(
            kind="receipt", subject="payment:X", user=cast.alice.user, dedupe_key=f"n{number}",
            next_try_at=timezone.now() + dt.timedelta(hours=9),
        )
        for number in range(50)
    )  # fmt: skip
    notice = make_notice(cast)
    assert [lease.pk for lease in claiming.claim()] == [notice.pk]
    assert claiming.claim() == []


def test_a_claim_that_ran_out_before_anything_was_begun_counts_as_no_repeat(cast: Cast, mailbox: Mailbox) -> None:
    """L04: a sender that dies between two mails of its claim repeats neither."""
    first, second = make_notice(cast, "receipt"), make_notice(cast, "due_today")
    assert [lease.pk for lease in claiming.claim()] == [first.pk, second.pk]
    for notice in (first, second):
        due_again(notice)
    assert sending.send_waiting() == 2
    assert not Notification.objects.exclude(reason="").exists()


def test_neither_claiming_nor_closing_touches_an_index(real_cast: Cast) -> None:
    """Rows are written beside the old ones: of the queue as they are claimed, of the notices as they are closed."""
    Notification.objects.bulk_create(
        Notification(kind="receipt", subject="payment:X", user=real_cast.alice.user, dedupe_key=f"n{number}")
        for number in range(100)
    )
    before = _updates("notifications_queued"), _updates("notifications_notification")
    leases = claiming.claim()
    assert len(claiming.write([claiming.Mark(notice=lease, status="kept") for lease in leases])) == 100
    after = _updates("notifications_queued"), _updates("notifications_notification")
    for (all_then, beside_then), (all_now, beside_now) in zip(before, after, strict=True):
        assert all_now - all_then == 100
        assert beside_now - beside_then >= 90, "the last of a page may find no room"


def _updates(table: str) -> tuple[int, int]:
    """How many updates a table has seen, and how many of them touched no index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s", [table])
        written, beside = cursor.fetchone()
    return int(written), int(beside)


def test_what_waits_stands_in_the_queue_and_nothing_else(cast: Cast, mailbox: Mailbox) -> None:
    """However a notice was made; letters and what was worked off do not stand there."""
    make_notice(cast, "receipt")
    made = Notification.objects.bulk_create(
        [
            Notification(kind="receipt", subject="payment:X", user=cast.alice.user, dedupe_key="gone"),
            Notification(kind="receipt", subject="payment:X", channel="letter", dedupe_key="letter"),
            Notification(kind="receipt", subject="payment:X", status="kept", dedupe_key="kept"),
        ]
    )
    assert set(Queued.objects.values_list("notification__dedupe_key", flat=True)) >= {"gone"}
    assert Queued.objects.count() == 2 and made[0].queued.due_at == made[0].next_try_at
    sending.send_waiting()
    assert not Queued.objects.exists()


def test_parallel_claims_take_each_notice_once(real_cast: Cast) -> None:
    """L05: eight claimers, two hundred notices, none in two claims."""
    Notification.objects.bulk_create(
        Notification(kind="receipt", subject="payment:X", user=real_cast.alice.user, dedupe_key=f"n{number}")
        for number in range(200)
    )
    together = threading.Barrier(8)

    def run(_number: int) -> list[int]:
        together.wait()
        try:
            return [lease.pk for _ in range(10) for lease in claiming.claim(5)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [pk for claims in pool.map(run, range(8)) for pk in claims]
    assert len(taken) == len(set(taken)) == 200
    assert set(Queued.objects.values_list("tries", flat=True)) == {1}


def test_many_of_one_outcome_are_closed_in_one_statement_and_none_that_another_has(
    cast: Cast, django_assert_num_queries: Callable[[int], Any]
) -> None:
    """A claim of which the same is to be said costs one statement; each is compared and set all the same."""
    Notification.objects.bulk_create(
        Notification(kind="receipt", subject="payment:X", user=cast.alice.user, dedupe_key=f"n{number}")
        for number in range(30)
    )
    leases = claiming.claim()
    taken_over = leases[3]
    Queued.objects.filter(pk=taken_over.pk).update(tries=2)
    with django_assert_num_queries(1):
        written = claiming.write(
            [claiming.Mark(notice=lease, status="kept", reason="switched off") for lease in leases]
        )
    assert written == {lease.pk for lease in leases} - {taken_over.pk}
    assert Notification.objects.filter(status="kept", reason="switched off").count() == 29


def test_a_server_that_goes_away_gives_back_all_of_a_claim(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L11: what was claimed far ahead of its turn is due again at once, and was no try."""
    monkeypatch.setattr(sending, "DECIDED_AT_ONCE", 1)
    notices = [make_notice(cast, kind) for kind in ("receipt", "due_today", "new_bill")]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert sending.send_waiting() == 0
    states = [Notification.objects.values_list("status", "tries").get(pk=notice.pk) for notice in notices]
    assert states == [("waiting", 1), ("waiting", 0), ("waiting", 0)]


def test_a_claim_that_takes_long_is_given_back_before_another_sender_counts_it_as_tried(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L15: a slow or paced sender keeps no more than it can send within its lease."""
    for kind in ("receipt", "due_today", "new_bill"):
        make_notice(cast, kind)
    monkeypatch.setattr(sending, "DECIDED_AT_ONCE", 1)
    monkeypatch.setattr(claiming, "LEASE", dt.timedelta(0))
    claim, sizes = claiming.claim, list[int]()

    def claim_and_count(size: int) -> list[claiming.Lease]:
        leases = claim(size)
        sizes.append(len(leases))
        return leases

    monkeypatch.setattr(claiming, "claim", claim_and_count)
    assert sending.send_waiting() == 3
    assert sizes[:3] == [3, 2, 1]
    assert set(Notification.objects.values_list("tries", flat=True)) == {1}
