"""The writers of the book: `post`, `post_many` and `reverse` (DESIGN section 5); `post_query` is in ledger.batches.

They speak SQL, one statement a call, so that a posting costs little more than its row.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from ledger.chart import is_movement
from ledger.errors import AlreadyReversed, KeyReused, LedgerError, LimitExceeded, MovementNotAllowed

MAX_BATCH = 100_000
# Text travels as one string a column, parted by a character that no key and no reference may hold: half the cost of
# a quoted array.
SEPARATOR = "\x1f"

COLUMNS = "debit_id, credit_id, amount_cents, owner_id, code, effective_on, key, reference, reverses_id"

# No constraint is named: of two reversals of one transfer with one key at once, either of its two unique constraints
# may be the one that finds out.
INSERT_ONE = f"""
    INSERT INTO ledger_transfer ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608  # the columns are the constant above

INSERT_MANY = f"""
    INSERT INTO ledger_transfer ({COLUMNS})
    SELECT debit_id, credit_id, amount_cents, owner_id, {{code}}, {{effective_on}}, key, reference, {{reverses_id}}
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                string_to_array(%s, chr(31)), string_to_array(%s, chr(31)){{arrays}})
         AS posting (debit_id, credit_id, amount_cents, owner_id, key, reference{{names}})
"""  # noqa: S608
# Of these a batch seldom has more than one value: sent once then, which the database need not take apart.
SELDOM = {"code": "smallint", "effective_on": "date", "reverses_id": "bigint"}
UNLESS_STANDING = "ON CONFLICT DO NOTHING"

FIND_MANY = f"""
    SELECT id, {COLUMNS} FROM ledger_transfer
    WHERE (owner_id, key) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement to be made: `amount_cents` US cents from the credit account to the debit account.

    `key` makes it happen once for its owner; `reference` names what it is about; `effective_on` is the member's date.
    """

    debit_id: int
    credit_id: int
    amount_cents: int
    code: int
    key: str
    reference: str
    effective_on: dt.date
    owner_id: int = 0
    reverses_id: int | None = None

    def row(self) -> tuple[int | str | dt.date | None, ...]:
        """The values of COLUMNS, in their order."""
        return (
            self.debit_id, self.credit_id, self.amount_cents, self.owner_id, int(self.code), self.effective_on,
            self.key, self.reference, self.reverses_id,
        )  # fmt: skip


class Posted(NamedTuple):
    """The transfer that stands for a posting, and whether this call made it."""

    id: int
    is_new: bool


def post(posting: Posting) -> Posted:
    """Post one movement. A repeat of the same key and content returns the transfer that stands.

    Raises MovementNotAllowed (the chart has no such movement), KeyReused (the key stands with other content),
    LimitExceeded (the limit of an account), AlreadyReversed, or LedgerError for what else the database refuses; after
    the last three the caller's transaction has to be rolled back.
    """
    _hold_against_chart(posting)
    with connection.cursor() as cursor:
        try:
            cursor.execute(INSERT_ONE, posting.row())
        except IntegrityError as refusal:
            raise named(refusal) from refusal
        if row := cursor.fetchone():
            return Posted(row[0], is_new=True)
        return Posted(_standing(cursor, [posting])[posting.owner_id, posting.key], is_new=False)


def post_many(postings: Sequence[Posting]) -> int:
    """Post them all in one statement, at most MAX_BATCH, or none of them; return how many are new.

    The limits of accounts hold for the statement as a whole. A repeat, within the batch or of an earlier posting, is
    passed over where its content is the same. Raises as `post`, and leaves the caller's transaction usable.
    """
    if not postings:
        return 0
    if len(postings) > MAX_BATCH:
        raise LedgerError(f"{len(postings)} postings are more than {MAX_BATCH}, the most in one batch")
    for posting in postings:
        _hold_against_chart(posting)
    statement, columns = _batch(postings)
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(statement, columns)
        except IntegrityError as refusal:
            if not isinstance(named(refusal), KeyReused | AlreadyReversed):
                raise named(refusal) from refusal
        else:
            return len(postings)
        # Looking before each row whether its key stands costs a sixth of a batch: only where one does.
        try:
            cursor.execute(statement + UNLESS_STANDING, columns)
        except IntegrityError as refusal:
            raise named(refusal) from refusal
        new = int(cursor.rowcount)
        _standing(cursor, postings)
    return new


def _batch(postings: Sequence[Posting]) -> tuple[str, list[int | str | dt.date | None]]:
    """The statement that inserts them all, and its parameters: each column as one text."""
    keys = SEPARATOR.join([p.key for p in postings])
    references = SEPARATOR.join([p.reference for p in postings])
    if keys.count(SEPARATOR) + references.count(SEPARATOR) != 2 * (len(postings) - 1):
        raise LedgerError("a key or a reference holds a control character")
    once: list[int | str | dt.date | None] = []
    arrays: list[str] = []
    names: list[str] = []
    columns: dict[str, str] = {}
    for name, kind in SELDOM.items():
        values = [getattr(posting, name) for posting in postings]
        if len(set(values)) == 1:
            columns[name] = f"%s::{kind}"
            once.append(values[0])
        else:
            columns[name] = name
            names.append(name)
            arrays.append(_array(["NULL" if value is None else value for value in values]))
    statement = INSERT_MANY.format(
        **columns,
        arrays="".join(f", %s::{SELDOM[name]}[]" for name in names),
        names="".join(f", {name}" for name in names),
    )
    always = [
        _array([p.debit_id for p in postings]),
        _array([p.credit_id for p in postings]),
        _array([p.amount_cents for p in postings]),
        _array([p.owner_id for p in postings]),
        keys,
        references,
    ]
    return statement, [*once, *always, *arrays]


def _array(values: Sequence[object]) -> str:
    return f"{{{','.join(map(str, values))}}}"


def reverse(transfer_id: int, *, key: str, reference: str, effective_on: dt.date, code: int | None = None) -> Posted:
    """Post the opposite of a transfer, once: its accounts swapped, its amount whole.

    The reversal carries the code of what it undoes unless `code` says otherwise. Raises AlreadyReversed where another
    key has reversed it, LedgerError where there is no such transfer, and as `post`.

    Of two at once the database lets the second wait for the first, by `ledger_transfer_key_once` where they have one
    key and by `ledger_transfer_reversed_once` where they have not: it needs no lock of the transfer besides.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT debit_id, credit_id, amount_cents, code, owner_id FROM ledger_transfer WHERE id = %s",
            [transfer_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise LedgerError(f"there is no transfer {transfer_id}")
    debit_id, credit_id, amount_cents, own_code, owner_id = row
    return post(
        Posting(
            debit_id=credit_id,
            credit_id=debit_id,
            amount_cents=amount_cents,
            code=own_code if code is None else code,
            key=key,
            reference=reference,
            effective_on=effective_on,
            owner_id=owner_id,
            reverses_id=transfer_id,
        )
    )


def _hold_against_chart(posting: Posting) -> None:
    """Raise MovementNotAllowed unless the chart has it; what undoes another may also be its movement backwards."""
    if is_movement(posting.code, posting.debit_id, posting.credit_id):
        return
    if posting.reverses_id is None or not is_movement(posting.code, posting.credit_id, posting.debit_id):
        raise MovementNotAllowed(
            f"the chart has no movement {posting.code!r} from {posting.credit_id} to {posting.debit_id}"
        )


def _standing(cursor: CursorWrapper, postings: Sequence[Posting]) -> dict[tuple[int, str], int]:
    """The ids of the transfers that stand for these postings.

    Raises KeyReused where one differs, AlreadyReversed where none stands: what it reverses, another key has reversed.
    """
    cursor.execute(FIND_MANY, [[p.owner_id for p in postings], [p.key for p in postings]])
    standing = {(row[4], row[7]): row for row in cursor.fetchall()}
    for posting in postings:
        row = standing.get((posting.owner_id, posting.key))
        if row is None:
            raise AlreadyReversed("the transfer has been reversed already")
        if row[1:] != posting.row():
            raise KeyReused(f"key {posting.key!r} of owner {posting.owner_id} stands already with other content")
    return {key: row[0] for key, row in standing.items()}


def named(refusal: IntegrityError) -> LedgerError:
    """The error of ours for a constraint of the database's."""
    constraint = getattr(getattr(refusal.__cause__, "diag", None), "constraint_name", None) or ""
    if constraint in ("ledger_account_credits_within_debits", "ledger_account_debits_within_credits"):
        return LimitExceeded("the posting would carry a balance beyond its account's limit")
    if constraint == "ledger_transfer_reversed_once":
        return AlreadyReversed("the transfer has been reversed already")
    if constraint == "ledger_transfer_key_once":
        return KeyReused("one of the keys stands already")
    return LedgerError(str(refusal).splitlines()[0])
