"""Spreading a sum over instalments, to the cent: pure computation, no rows. A day that a month lacks is its last."""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.money import split

MIN_PART_CENTS = 50  # the least that can be charged (checkout.MIN_CENTS): a smaller end joins the one before it
MOST_ADDED = 120  # instalments at the end of a schedule: for more than that they become larger
FIRST_AFTER_DAYS = 10  # the first instalment is due at least so many days after it was agreed to


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment, US cents; position 0 is the down payment."""

    position: int
    due_on: dt.date
    amount_cents: int


def evenly(total_cents: int, count: int) -> list[int]:
    """So many instalments that differ by a cent at most, the larger first."""
    return split(total_cents, [1] * count)


def by_amount(total_cents: int, amount_cents: int) -> list[int]:
    """Instalments of an amount, and the rest in the last: the first that hold it, were the rest too small to charge."""
    count, rest = divmod(total_cents, amount_cents)
    parts = [amount_cents] * count
    if rest and rest < MIN_PART_CENTS and parts:
        parts[-1] += rest
    elif rest:
        parts.append(rest)
    return parts


def day_in(year: int, month: int, day: int) -> dt.date:
    """The day of a month, or the month's last where it has no such day."""
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def months_later(on: dt.date, months: int, *, day: int) -> dt.date:
    """The same day of the month, so many months later."""
    index = on.year * 12 + on.month - 1 + months
    return day_in(index // 12, index % 12 + 1, day)


def first_due(day: int, *, today: dt.date) -> dt.date:
    """The first such day of a month that is FIRST_AFTER_DAYS away or more."""
    earliest = today + dt.timedelta(days=FIRST_AFTER_DAYS)
    found = day_in(earliest.year, earliest.month, day)
    return found if found >= earliest else months_later(found, 1, day=day)


def scheduled(amounts: Sequence[int], *, day: int, today: dt.date, down_cents: int = 0) -> list[Part]:
    """The schedule of these amounts, a month apart, and what is paid down today before them."""
    first = first_due(day, today=today)
    parts = [Part(0, today, down_cents)] if down_cents else []
    parts += [Part(number, months_later(first, number - 1, day=day), cents) for number, cents in enumerate(amounts, 1)]
    return parts


def respread(parts: Sequence[Part], total_cents: int, *, day: int, today: dt.date) -> list[Part]:
    """The schedule fitted to a changed total: less comes off the last instalments, more is added at the end.

    More fills up the last instalment to the usual amount first, so that what was taken off and comes back gives the
    schedule that was. `parts` is in order. What is due stays due: only the end moves.
    """
    if total_cents <= 0 or not parts:
        return []
    return _shortened(parts, total_cents) if total_cents <= _sum(parts) else _lengthened(parts, total_cents, day, today)


def _shortened(parts: Sequence[Part], total_cents: int) -> list[Part]:
    kept: list[Part] = []
    left = total_cents
    for part in parts:
        if left <= 0:
            break
        kept.append(replace(part, amount_cents=min(part.amount_cents, left)))
        left -= part.amount_cents
    if len(kept) > 1 and kept[-1].amount_cents < MIN_PART_CENTS:
        end = kept.pop()
        kept[-1] = replace(kept[-1], amount_cents=kept[-1].amount_cents + end.amount_cents)
    return kept


def _lengthened(parts: Sequence[Part], total_cents: int, day: int, today: dt.date) -> list[Part]:
    made = list(parts)
    usual = max((part.amount_cents for part in parts if part.position), default=parts[-1].amount_cents)
    more = total_cents - _sum(parts)
    if made[-1].position and made[-1].due_on > today and made[-1].amount_cents < usual:
        filled = min(usual - made[-1].amount_cents, more)
        made[-1] = replace(made[-1], amount_cents=made[-1].amount_cents + filled)
        more -= filled
    usual = max(usual, -(-more // MOST_ADDED))
    for cents in by_amount(more, usual) if more else []:
        after = months_later(made[-1].due_on, 1, day=day)
        made.append(Part(made[-1].position + 1, max(after, first_due(day, today=today)), cents))
    if len(made) > 1 and made[-1].amount_cents < MIN_PART_CENTS:
        end = made.pop()
        made[-1] = replace(made[-1], amount_cents=made[-1].amount_cents + end.amount_cents)
    return made


def covered(parts: Sequence[Part], paid_cents: int) -> list[int]:
    """How much of each instalment is paid, US cents: what was paid fills them in order."""
    found = []
    for part in parts:
        found.append(min(part.amount_cents, max(0, paid_cents)))
        paid_cents -= part.amount_cents
    return found


def _sum(parts: Sequence[Part]) -> int:
    return sum(part.amount_cents for part in parts)
