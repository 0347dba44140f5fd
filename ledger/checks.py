"""Whether the book holds: rules, each held against the live database, and the rows that break one (`check_ledger`).

The whole is checked without sorting or joining it. A rule such as "every tracked balance is the sum of its transfers"
is one equation for each account; given a random weight for each account, all of them hold only if the two weighted
sums agree, but for one chance in 2^30, drawn anew each run. So each table is read once, whatever the number of rules,
and only where sums differ is the slow query asked for the rows.

With `since` (a moment), each rule looks at what was touched since, and costs what the day brought.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from ledger.chart import CODES_OF_CREDIT, FIRST_HOUSEHOLD_ACCOUNT_ID, MOVEMENT_NUMBERS, movement_number_sql

MOST_ROWS = 20
WEIGHT = "(hashint8extended({0}, %(seed)s) & 1073741823)"
TEXT_WEIGHT = "(hashtextextended({0}, %(seed)s) & 1073741823)"
Params = dict[str, int | dt.datetime | None]

TRANSFERS, ACCOUNTS = "ledger_transfer", "ledger_account"
FIRST = FIRST_HOUSEHOLD_ACCOUNT_ID


class Sum(NamedTuple):
    """An aggregate over the whole of a table, one number."""

    table: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that must be so. Where `left` equals `right` it is; without them, `broken` is asked at once.

    `broken` and `broken_since` select what breaks it, as a name and a detail each, at most MOST_ROWS; `broken_since`
    among what was touched at or after %(since)s. A `deep` rule has to look at every row one by one: the whole is held
    against it only on demand, a day always.
    """

    name: str
    sentence: str
    broken: str
    broken_since: str
    left: Sum | None = None
    right: Sum | None = None
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold, and the first rows that break it."""

    rule: str
    sentence: str
    rows: tuple[str, ...]


def weighed(cents: str, account: str) -> str:
    """Cents times the weight of an account; nothing for the plan's own, which are not tracked."""
    return f"{cents} * (CASE WHEN {account} >= {FIRST} THEN {WEIGHT.format(account)} ELSE 0 END)"


# The accounts that the day touched.
TOUCHED = f"""
    touched AS (
        SELECT debit_id AS id FROM {TRANSFERS} WHERE created_at >= %(since)s
        UNION SELECT credit_id FROM {TRANSFERS} WHERE created_at >= %(since)s
    )
"""  # noqa: S608  # here and below: the parts are constants
_SUM_OF_ALL = f"""
    SELECT id, sum(cents) AS cents FROM (
        SELECT debit_id AS id, amount_cents AS cents FROM {TRANSFERS} WHERE debit_id >= {FIRST}
        UNION ALL SELECT credit_id, -amount_cents FROM {TRANSFERS} WHERE credit_id >= {FIRST}
    ) side GROUP BY id
"""  # noqa: S608
_MIRROR = f"""
    SELECT 'transfer ' || t.id, 'is not transfer ' || t.reverses_id || ' the other way round, once'
    FROM {TRANSFERS} t LEFT JOIN {TRANSFERS} o ON o.id = t.reverses_id
    WHERE t.reverses_id IS NOT NULL {{day}} AND (
        (t.debit_id, t.credit_id, t.amount_cents, t.owner_id)
            IS DISTINCT FROM (o.credit_id, o.debit_id, o.amount_cents, o.owner_id)
        OR EXISTS (SELECT FROM {TRANSFERS} u WHERE u.reverses_id = t.reverses_id AND u.id <> t.id))
"""  # noqa: S608
_ACCOUNTS_OF = f"""
    SELECT 'transfer ' || t.id, 'account ' || a.wanted || CASE
        WHEN a.id IS NULL THEN ' does not exist' WHEN a.is_control THEN ' takes no transfer of its own'
        ELSE ' is of owner ' || a.owner_id || ', the transfer of ' || t.owner_id END
    FROM {TRANSFERS} t CROSS JOIN LATERAL (
        SELECT side.wanted, found.* FROM (VALUES (t.debit_id), (t.credit_id)) side (wanted)
        LEFT JOIN {ACCOUNTS} found ON found.id = side.wanted
    ) a WHERE (a.id IS NULL OR a.is_control OR a.owner_id NOT IN (0, t.owner_id)) {{day}}
"""  # noqa: S608
_CREDIT_CODES = ", ".join(str(int(code)) for code in CODES_OF_CREDIT)
_SIDES_OF = f"""
    SELECT 'transfer ' || t.id, 'a ' || a.type || ' account of a household where code ' || t.code || ' has none'
    FROM {TRANSFERS} t JOIN {ACCOUNTS} a ON a.id IN (t.debit_id, t.credit_id)
    WHERE a.id >= {FIRST} AND a.type = 'liability' AND t.code NOT IN ({_CREDIT_CODES}) {{day}}
"""  # noqa: S608
_DAY = "AND t.created_at >= %(since)s"
_WRONG_MOVEMENT = f"NOT ({movement_number_sql()} = ANY(ARRAY[{', '.join(map(str, MOVEMENT_NUMBERS))}]::bigint[]))"
_MOVEMENT = f"""
    SELECT 'transfer ' || id, 'code ' || code || ' from account ' || credit_id || ' to account ' || debit_id
    FROM {TRANSFERS} t WHERE reverses_id IS NULL AND {_WRONG_MOVEMENT} {{day}}
"""  # noqa: S608
_ROW = f"""
    SELECT 'transfer ' || id, amount_cents || ' cents from account ' || credit_id || ' to account ' || debit_id
    FROM {TRANSFERS} t WHERE (amount_cents <= 0 OR debit_id = credit_id) {{day}}
"""  # noqa: S608
_TERMS = f"(id < {FIRST}) <> (NOT is_tracked) OR (NOT is_tracked AND balance_cents <> 0)"
_LIMIT = (
    "(credits_must_not_exceed_debits AND balance_cents < 0) OR (debits_must_not_exceed_credits AND balance_cents > 0)"
)

RULES: tuple[Rule, ...] = (
    Rule(
        name="balances",
        sentence="Every tracked balance is the sum of its transfers.",
        left=Sum(TRANSFERS, f"sum({weighed('amount_cents', 'debit_id')} - {weighed('amount_cents', 'credit_id')})"),
        right=Sum(ACCOUNTS, f"sum({weighed('balance_cents', 'id')}) FILTER (WHERE NOT is_control)"),
        broken=f"""
            SELECT 'account ' || coalesce(a.id, s.id),
                   'holds ' || coalesce(a.balance_cents, 0) || ', its transfers sum to ' || coalesce(s.cents, 0)
            FROM (SELECT * FROM {ACCOUNTS} WHERE is_tracked AND NOT is_control) a
            FULL JOIN ({_SUM_OF_ALL}) s ON s.id = a.id
            WHERE coalesce(a.balance_cents, 0) <> coalesce(s.cents, 0)
        """,  # noqa: S608
        broken_since=f"""
            WITH {TOUCHED}
            SELECT 'account ' || a.id, 'holds ' || a.balance_cents || ', its transfers sum to ' || s.cents
            FROM touched JOIN {ACCOUNTS} a ON a.id = touched.id AND a.is_tracked
            CROSS JOIN LATERAL (SELECT
                (SELECT coalesce(sum(amount_cents), 0) FROM {TRANSFERS} WHERE debit_id = a.id)
                - (SELECT coalesce(sum(amount_cents), 0) FROM {TRANSFERS} WHERE credit_id = a.id) AS cents) s
            WHERE a.balance_cents <> s.cents
        """,  # noqa: S608
    ),
    Rule(
        name="controls",
        sentence="Every control account is the sum of those below it.",
        left=Sum(ACCOUNTS, f"sum({weighed('balance_cents', 'id')}) FILTER (WHERE is_control)"),
        right=Sum(ACCOUNTS, f"sum({weighed('balance_cents', 'control_id')}) FILTER (WHERE control_id IS NOT NULL)"),
        broken=f"""
            SELECT 'account ' || c.id, 'holds ' || c.balance_cents || ', those below it ' || coalesce(s.cents, 0)
            FROM {ACCOUNTS} c LEFT JOIN (
                SELECT control_id, sum(balance_cents) AS cents FROM {ACCOUNTS} WHERE control_id IS NOT NULL GROUP BY 1
            ) s ON s.control_id = c.id
            WHERE c.is_control AND c.balance_cents <> coalesce(s.cents, 0)
        """,  # noqa: S608
        broken_since=f"""
            WITH {TOUCHED}, controls AS (
                SELECT DISTINCT a.control_id AS id, a.owner_id FROM touched JOIN {ACCOUNTS} a ON a.id = touched.id
                WHERE a.control_id IS NOT NULL
            )
            SELECT 'account ' || c.id, 'holds ' || c.balance_cents || ', those below it ' || s.cents
            FROM controls JOIN {ACCOUNTS} c ON c.id = controls.id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(balance_cents), 0) AS cents FROM {ACCOUNTS} a
                WHERE a.owner_id = c.owner_id AND a.control_id = c.id AND a.balance_cents > 0
                  AND a.matures_on IS NOT NULL
            ) s WHERE c.balance_cents <> s.cents
        """,  # noqa: S608
    ),
    Rule(
        name="trial balance",
        sentence="Debits equal credits: the balances of all accounts sum to nothing.",
        left=Sum(
            TRANSFERS,
            f"coalesce(sum(amount_cents) FILTER (WHERE debit_id < {FIRST}), 0)"
            f" - coalesce(sum(amount_cents) FILTER (WHERE credit_id < {FIRST}), 0)",
        ),
        right=Sum(ACCOUNTS, "-sum(balance_cents) FILTER (WHERE NOT is_control)"),
        broken="SELECT 'the whole book', 'debits do not equal credits'",
        broken_since="SELECT '', '' WHERE false",
    ),
    Rule(
        name="amounts",
        sentence="Every transfer moves more than nothing, between two accounts.",
        left=Sum(TRANSFERS, "count(*) FILTER (WHERE amount_cents <= 0 OR debit_id = credit_id)"),
        broken=_ROW.format(day=""),
        broken_since=_ROW.format(day=_DAY),
    ),
    Rule(
        name="movements",
        sentence="Every transfer is a movement of the chart of accounts.",
        left=Sum(TRANSFERS, f"count(*) FILTER (WHERE reverses_id IS NULL AND {_WRONG_MOVEMENT})"),
        broken=_MOVEMENT.format(day=""),
        broken_since=_MOVEMENT.format(day=_DAY),
    ),
    Rule(
        name="limits",
        sentence="No balance is beyond its account's limit.",
        left=Sum(ACCOUNTS, f"count(*) FILTER (WHERE {_LIMIT})"),
        broken=f"SELECT 'account ' || id, 'holds ' || balance_cents FROM {ACCOUNTS} WHERE {_LIMIT}",  # noqa: S608
        broken_since=f"""
            WITH {TOUCHED} SELECT 'account ' || a.id, 'holds ' || balance_cents
            FROM touched JOIN {ACCOUNTS} a ON a.id = touched.id WHERE {_LIMIT}
        """,  # noqa: S608
    ),
    Rule(
        name="tracking",
        sentence="Households' accounts are tracked, the plan's own are not and hold nothing.",
        left=Sum(ACCOUNTS, f"count(*) FILTER (WHERE {_TERMS})"),
        broken=f"SELECT 'account ' || id, 'is_tracked ' || is_tracked FROM {ACCOUNTS} WHERE {_TERMS}",  # noqa: S608
        broken_since=f"""
            WITH {TOUCHED} SELECT 'account ' || a.id, 'is_tracked ' || is_tracked
            FROM touched JOIN {ACCOUNTS} a USING (id) WHERE {_TERMS}
        """,  # noqa: S608
    ),
    Rule(
        name="reversals",
        sentence="Every reversal is the whole of its transfer, the other way round, and its only one.",
        broken=_MIRROR.format(day=""),
        broken_since=_MIRROR.format(day=_DAY),
    ),
    Rule(
        name="accounts",
        sentence="Every transfer's accounts exist, are its owner's or the plan's, and are no control accounts.",
        broken=_ACCOUNTS_OF.format(day=""),
        broken_since=_ACCOUNTS_OF.format(day=_DAY),
        deep=True,
    ),
    Rule(
        name="sides",
        sentence="Household credit moves only by the codes that the chart has for it.",
        broken=_SIDES_OF.format(day=""),
        broken_since=_SIDES_OF.format(day=_DAY),
        deep=True,
    ),
)


def run(
    rules: Sequence[Rule],
    *,
    since: dt.datetime | None = None,
    deep: bool = False,
    seed: int | None = None,
    on_rule: Callable[[str], object] = lambda name: None,
) -> list[Broken]:
    """Hold the rules against one snapshot of the database; return those that are broken, with their rows.

    `since`: only what was touched at or after this moment. `deep`: also the rules that look at every row one by one.
    `on_rule` is called with the name of each rule that has been checked.
    """
    params: Params = {"seed": random.getrandbits(60) if seed is None else seed, "since": since}  # noqa: S311  # no secret
    broken = []
    with _snapshot() as cursor:
        sums = {} if since else _sums(cursor, rules, params)
        for rule in rules:
            if since or _may_be_broken(rule, sums, deep=deep):
                rows = _rows(cursor, rule.broken_since if since else rule.broken, params)
                if rows:
                    broken.append(Broken(rule.name, rule.sentence, rows))
            on_rule(rule.name)
    return broken


def _may_be_broken(rule: Rule, sums: dict[Sum, int], *, deep: bool) -> bool:
    if rule.left is None:
        return deep or not rule.deep
    return sums[rule.left] != (sums[rule.right] if rule.right else 0)


def _sums(cursor: CursorWrapper, rules: Sequence[Rule], params: Params) -> dict[Sum, int]:
    """Every sum that the rules ask for: each table is read once."""
    wanted: dict[str, list[Sum]] = {}
    for rule in rules:
        for part in (rule.left, rule.right):
            if part is not None and part not in wanted.setdefault(part.table, []):
                wanted[part.table].append(part)
    sums: dict[Sum, int] = {}
    for table, parts in wanted.items():
        cursor.execute(f"SELECT {', '.join(part.expression for part in parts)} FROM {table}", params)  # noqa: S608
        sums |= {part: int(value or 0) for part, value in zip(parts, cursor.fetchone(), strict=True)}
    return sums


def _rows(cursor: CursorWrapper, query: str, params: Params) -> tuple[str, ...]:
    cursor.execute(f"SELECT * FROM ({query}) broken LIMIT {MOST_ROWS}", params)  # noqa: S608
    return tuple(f"{name}: {detail}" for name, detail in cursor.fetchall())


@contextmanager
def _snapshot() -> Iterator[CursorWrapper]:
    """One state of the whole database, however long the check takes and whoever writes meanwhile."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield cursor
