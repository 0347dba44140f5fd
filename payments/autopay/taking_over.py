"""Taking over standing orders: on as they were where everything that a charge needs is there, else stopped and told.

Nothing is charged without leave: without the words that were agreed to, with a method that the provider does not know
as the member's, or with an expired card, the enrolment begins suspended, and only the member's new consent starts it.

Orders are taken a batch at a time: what stands is looked up, the provider is asked with no transaction open, and then
one transaction keeps and enrols the whole batch, under a lock that lets no two of them run at once.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import DataError, IntegrityError, connection
from django.db.models import QuerySet

from accounts import households
from ledger.transactions import atomic_with_retry
from payments.autopay import asking, beginning
from payments.autopay.beginning import Answers
from payments.autopay.import_rows import Order
from payments.models import ImportedAutopay

Code = ImportedAutopay.Code
FINAL = (Code.ALREADY_ON,)
WAITING = (Code.NO_USER, Code.NOT_PAYABLE)
MOST_A_DAY = 5_000
BATCH = 500
REFUSED = (IntegrityError, DataError)
NOT_STATED = ("source_id", "paperless")  # of an Order: no columns of what is kept
GIVEN = tuple(name for name in Order.__slots__ if name not in NOT_STATED)

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of an order. Of one that the provider did not answer for, only the order itself is kept."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    OLDER = "older"  # than what stands
    UNANSWERED = "unanswered"
    CONFLICT = "conflict"  # the database refused it twice


@dataclass(frozen=True, slots=True)
class _Batch:
    """Whose orders they are, and the import that brings them."""

    source: str
    id: int


def take(orders: Sequence[Order], *, source: str, batch_id: int) -> list[Outcome]:
    """Keep orders, and enrol their members where there is an account; of each what became of it.

    No two of them have the same id. Once one is enrolled, or autopay was on already, it is the member's: later
    statements change nothing. A repeat changes nothing.
    """
    batch = _Batch(source, batch_id)
    standing = {row.source_id: row for row in _standing(orders, batch)}
    wanted = [order for order in orders if _is_to_enroll(order, standing.get(order.source_id))]
    return _taken(orders, batch, asking.ask({order.stripe_method_id for order in wanted}))


def take_waiting() -> int:
    """Enrol those who have signed up since, or may pay by now; how many."""
    ids = list(_waiting().order_by("pk").values_list("pk", flat=True)[:MOST_A_DAY])
    count = 0
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        methods = ImportedAutopay.objects.filter(pk__in=some).values_list("stripe_method_id", flat=True)
        count += _enrolled(some, asking.ask(set(methods)))
    return count


def _taken(orders: Sequence[Order], batch: _Batch, answers: Answers) -> list[Outcome]:
    """All at once, or where the database refuses one, in halves: what is wrong with one is no other's."""
    try:
        return _take(orders, batch, answers)
    except REFUSED:
        if len(orders) > 1:
            half = len(orders) // 2
            return _taken(orders[:half], batch, answers) + _taken(orders[half:], batch, answers)
    try:
        return _take(orders, batch, answers)  # what somebody else wrote at that moment is seen by now
    except REFUSED as error:
        logger.warning("an imported autopay was not taken: %s", type(error).__name__)
        return [Outcome.CONFLICT]


@atomic_with_retry
def _take(orders: Sequence[Order], batch: _Batch, answers: Answers) -> list[Outcome]:
    _lock()
    standing = {row.source_id: row for row in _standing(orders, batch).select_for_update(of=("self",))}
    outcomes = [_outcome(order, standing.get(order.source_id)) for order in orders]
    stated = [
        order for order, outcome in zip(orders, outcomes, strict=True) if outcome in (Outcome.NEW, Outcome.CHANGED)
    ]
    kept = standing | {row.source_id: row for row in _keep(stated, standing, batch)}
    to_enroll = []
    for place, order in enumerate(orders):
        if _is_to_enroll(order, standing.get(order.source_id)):
            if order.stripe_method_id in answers:
                to_enroll.append(kept[order.source_id])
            else:
                outcomes[place] = Outcome.UNANSWERED
    beginning.begin(to_enroll, answers)
    return outcomes


def _enrolled(ids: Sequence[int], answers: Answers) -> int:
    """As `_taken`, of rows that wait."""
    try:
        return _enroll(ids, answers)
    except REFUSED:
        if len(ids) == 1:
            return 0  # the next day tries again
        half = len(ids) // 2
        return _enrolled(ids[:half], answers) + _enrolled(ids[half:], answers)


@atomic_with_retry
def _enroll(ids: Sequence[int], answers: Answers) -> int:
    _lock()
    rows = _waiting().filter(pk__in=ids).select_related("member__user", "coverage").order_by("pk")
    held = rows.select_for_update(of=("self",))
    return beginning.begin([row for row in held if row.stripe_method_id in answers], answers)


def _lock() -> None:
    """Wait until no other batch is in the midst of being taken; until the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('payments.autopay.taking_over'))")


def _standing(orders: Sequence[Order], batch: _Batch) -> QuerySet[ImportedAutopay]:
    ids = [order.source_id for order in orders]
    rows = ImportedAutopay.objects.filter(source=batch.source, source_id__in=ids)
    return rows.select_related("member__user", "coverage").order_by("pk")


def _waiting() -> QuerySet[ImportedAutopay]:
    return ImportedAutopay.objects.filter(code__in=WAITING, enrollment=None, member__user__isnull=False)


def _outcome(order: Order, standing: ImportedAutopay | None) -> Outcome:
    if standing is None:
        return Outcome.NEW
    if order.as_of < standing.as_of:
        return Outcome.OLDER
    is_settled = standing.enrollment_id is not None or standing.code in FINAL
    return Outcome.SAME if is_settled or standing.digest == order.digest else Outcome.CHANGED


def _is_to_enroll(order: Order, standing: ImportedAutopay | None) -> bool:
    """Whether autopay may be turned on for it now. What waited is tried again: the provider may not have answered."""
    outcome = _outcome(order, standing)
    if outcome == Outcome.SAME:
        assert standing is not None
        is_waiting = standing.enrollment_id is None and standing.code in WAITING
        return is_waiting and standing.member.user_id is not None
    return outcome != Outcome.OLDER and order.member.user_id is not None


def _keep(orders: Sequence[Order], standing: dict[str, ImportedAutopay], batch: _Batch) -> list[ImportedAutopay]:
    """Keep what was stated, new or anew. Paper or paperless is set once, by the first statement."""
    codes = {source_id: row.code for source_id, row in standing.items()}
    rows = [
        ImportedAutopay(
            source=batch.source, source_id=order.source_id, batch_id=batch.id,
            code=codes.get(order.source_id, Code.NO_USER), **{name: getattr(order, name) for name in GIVEN},
        )
        for order in orders
    ]  # fmt: skip
    ImportedAutopay.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["source", "source_id"], update_fields=[*GIVEN, "batch"]
    )
    chosen: dict[int, dict[str, bool]] = {}
    for order in orders:
        if order.source_id not in standing:
            chosen.setdefault(order.member.household_id, {}).update(order.paperless)
    households.set_paperless_many(chosen, actor="import")
    return rows
