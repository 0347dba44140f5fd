"""How a day's autopay run stands: planned, charged, failed, waiting, how fast, and when it is expected to end."""

import datetime as dt
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from payments.models.autopay import ChargeStatus

RATE_SECONDS = 60
MOST_RECENT = 6000  # payments looked at for the rate: a minute at Stripe's limit

COUNTS = """
    SELECT status, code, count(*), sum(amount_cents)::bigint FROM payments_autopaycharge
    WHERE charge_on = %s GROUP BY status, code
"""
RECENT = """
    SELECT count(*) FROM (SELECT channel, submitted_at FROM payments_payment ORDER BY id DESC LIMIT %s) recent
    WHERE channel IN ('autopay', 'plan') AND submitted_at > %s
"""
WAITING = (ChargeStatus.ANNOUNCED, ChargeStatus.QUEUED)
LEFT_OUT = (ChargeStatus.SKIPPED, ChargeStatus.NOT_NEEDED, ChargeStatus.ASKED)


@dataclass(slots=True)
class Progress:
    """A day's run at this moment. Amounts in US cents; `per_second` over the last minute."""

    day: dt.date
    planned: int = 0
    planned_cents: int = 0
    done: int = 0
    done_cents: int = 0
    on_their_way: int = 0
    failed: int = 0
    waiting: int = 0
    left_out: int = 0
    per_second: float = 0.0
    ends_at: dt.datetime | None = None
    failed_by_code: dict[str, int] = field(default_factory=dict)
    left_out_by_code: dict[str, int] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether the page is to look again by itself."""
        return bool(self.waiting or self.on_their_way) and self.day <= timezone.localdate()

    @property
    def done_percent(self) -> int:
        """How much of what is not left out has come to an end."""
        total = self.planned - self.left_out
        return 100 * (self.done + self.failed) // total if total else 100


def of(day: dt.date) -> Progress:
    """The run of a day: two queries."""
    now = timezone.now()
    progress = Progress(day)
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [day])
        rows = cursor.fetchall()
        cursor.execute(RECENT, [MOST_RECENT, now - dt.timedelta(seconds=RATE_SECONDS)])
        progress.per_second = cursor.fetchone()[0] / RATE_SECONDS
    for status, code, count, cents in rows:
        _add(progress, status, code, count, cents)
    if progress.waiting and progress.per_second:
        progress.ends_at = now + dt.timedelta(seconds=progress.waiting / progress.per_second)
    return progress


def _add(progress: Progress, status: str, code: str, count: int, cents: int) -> None:
    progress.planned += count
    progress.planned_cents += cents
    if status == ChargeStatus.DONE:
        progress.done += count
        progress.done_cents += cents
    elif status == ChargeStatus.SENT:
        progress.on_their_way += count
    elif status == ChargeStatus.FAILED:
        progress.failed += count
        progress.failed_by_code[code or "unknown"] = progress.failed_by_code.get(code or "unknown", 0) + count
    elif status in WAITING:
        progress.waiting += count
    elif status in LEFT_OUT:
        progress.left_out += count
        why = code or status
        progress.left_out_by_code[why] = progress.left_out_by_code.get(why, 0) + count
