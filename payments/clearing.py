"""The clearing account against the provider's balance transactions (FAULTS M5, M17, D19 to D21).

The provider's rows are put in a temporary table before the snapshot of the check is taken, so that nothing outside is
asked inside a transaction, and then compared in SQL, whatever their number. What happened within the last SETTLING
minutes may stand on one side only: the webhook is on its way.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection
from django.utils import timezone
from psycopg2.extras import execute_values

from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.checks import TRANSFERS, Rule, Sum
from payments.provider import BalanceRow
from payments.states import SETTLED
from payments.taking_back import POSTED

SETTLING = dt.timedelta(minutes=60)
MARGIN = dt.timedelta(days=10)  # a bank debit is charged days before it succeeds
BATCH = 1000
ROWS = "pg_temp.provider_row"
CLEARING = SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_CLEARING]

# Types of balance transactions: docs.stripe.com/reports/balance-transaction-types.
CHARGES = "('charge', 'payment')"
REFUNDS = "('refund', 'payment_refund', 'refund_failure', 'payment_failure_refund')"
DISPUTES = "('adjustment')"  # taken by a dispute or a bank's return, or put back
PAYOUTS = "('payout', 'payout_cancel', 'payout_failure')"
FEES = "('stripe_fee', 'stripe_fx_fee', 'tax_fee')"
_OUR_OWN = f"({int(Code.STRIPE_FEE)}, {int(Code.PAYOUT)})"


@contextmanager
def fetched(rows: Iterable[BalanceRow]) -> Iterator[dt.datetime]:
    """Put the provider's rows in a temporary table; yields the moment before which they are complete."""
    until, iterator = timezone.now() - SETTLING, iter(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {ROWS}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {ROWS.rpartition('.')[2]}"
            " (id text, type text, source_id text, cents bigint, fee bigint, created_at timestamptz)"
        )
        while batch := list(islice(iterator, BATCH)):
            execute_values(
                cursor.cursor,
                f"INSERT INTO {ROWS} VALUES %s",  # noqa: S608  # here and below: the parts are constants
                [(r.id, r.type, r.source_id, r.amount_cents, r.fee_cents, r.created_at) for r in batch],
            )
        try:
            yield until
        finally:
            cursor.execute(f"DROP TABLE IF EXISTS {ROWS}")


def rules(*, until: dt.datetime) -> tuple[Rule, ...]:
    """What must be so between the book and the rows fetched. `until`: what is younger may stand on one side only."""
    young = f"'{until.isoformat()}'::timestamptz"
    return (_charges(young), _refunds(young), _disputes(young), _total(young), _fees_and_payouts())


_ONE_SIDED = """
    SELECT '{word} ' || coalesce(s.source_id, o.source_id),
           CASE WHEN s.source_id IS NULL THEN o.name || ' of ' || o.cents || ' cents is unknown to the provider'
                WHEN o.source_id IS NULL THEN 'of ' || s.cents || ' cents at the provider is unknown here'
                ELSE o.name || ' of ' || o.cents || ' cents is of ' || s.cents || ' at the provider' END
    FROM (SELECT source_id, sum({sign} cents) AS cents, max(created_at) AS at
          FROM {rows} WHERE type IN {types} GROUP BY source_id HAVING sum(cents) <> 0) s
    FULL JOIN ({ours}) o ON o.source_id = s.source_id
    WHERE o.cents IS DISTINCT FROM s.cents AND greatest(s.at, o.at) < {young} {day}
"""
_PAYMENTS = f"""
    SELECT stripe_charge_id AS source_id, 'payment ' || number AS name, amount_cents AS cents, settled_at AS at
    FROM payments_payment WHERE status IN ({", ".join(f"'{status}'" for status in SETTLED)}) AND method_kind <> 'check'
"""  # noqa: S608
_OUR_REFUNDS = f"""
    SELECT stripe_refund_id AS source_id, 'refund ' || id AS name, amount_cents AS cents, created_at AS at
    FROM payments_refund WHERE status IN ({", ".join(f"'{status}'" for status in POSTED)})
"""  # noqa: S608
_OUR_DISPUTES = """
    SELECT stripe_dispute_id AS source_id, 'dispute ' || id AS name, booked_cents AS cents,
           booked_at AS at
    FROM payments_dispute WHERE booked_cents > 0
"""
# What nothing here explains is in suspense, and so is what went back of it (payments.findings).
_IN_SUSPENSE = """
    UNION ALL SELECT b.source_id, 'suspense', {sign} sum(b.amount_cents), max(b.created_at)
    FROM payments_balancetransaction b JOIN payments_finding f ON f.id = b.finding_id
    WHERE f.kind = 'only_there' AND f.payment_id IS NULL AND b.outcome <> 'waiting' AND b.type IN {types}
    GROUP BY b.source_id HAVING sum(b.amount_cents) <> 0
"""
_OF_THE_DAY = "AND greatest(s.at, o.at) >= %(since)s"
_RECENT = " AND {column} >= %(since)s - interval '" + str(MARGIN.days) + " days'"


def _compared(young: str, word: str, types: str, sign: str, ours: str, *, day: str = "") -> str:
    ours += _IN_SUSPENSE.format(sign=sign, types=types)
    return _ONE_SIDED.format(word=word, rows=ROWS, types=types, sign=sign, ours=ours, young=young, day=day)


def _charges(young: str) -> Rule:
    recent = _PAYMENTS + _RECENT.format(column="settled_at")
    return Rule(
        name="charges at the provider",
        sentence="Every charge at the provider is a settled payment here, for its amount, and the reverse.",
        broken=_compared(young, "charge", CHARGES, "", _PAYMENTS),
        broken_since=_compared(young, "charge", CHARGES, "", recent, day=_OF_THE_DAY),
    )


def _refunds(young: str) -> Rule:
    recent = _OUR_REFUNDS + _RECENT.format(column="created_at")
    return Rule(
        name="refunds at the provider",
        sentence="Every refund at the provider is one here, for its amount, and the reverse.",
        broken=_compared(young, "refund", REFUNDS, "-", _OUR_REFUNDS),
        broken_since=_compared(young, "refund", REFUNDS, "-", recent, day=_OF_THE_DAY),
    )


def _disputes(young: str) -> Rule:
    """Of a day, only whether each is known on the other side: what it took may have been put back months before."""
    return Rule(
        name="disputes at the provider",
        sentence="What disputes and bank returns took at the provider is taken back here, and the reverse.",
        broken=_compared(young, "dispute", DISPUTES, "-", _OUR_DISPUTES),
        broken_since=f"""
            SELECT 'dispute ' || source_id, 'of ' || -cents || ' cents at the provider is unknown here'
            FROM {ROWS} r WHERE type IN {DISPUTES} AND created_at >= %(since)s AND created_at < {young}
              AND NOT EXISTS (SELECT FROM payments_dispute d WHERE d.stripe_dispute_id = r.source_id)
            UNION ALL
            SELECT 'dispute ' || stripe_dispute_id, 'dispute ' || id || ' is unknown to the provider'
            FROM payments_dispute d WHERE booked_at >= %(since)s AND booked_at < {young}
              AND NOT EXISTS (SELECT FROM {ROWS} r WHERE r.source_id = d.stripe_dispute_id)
        """,  # noqa: S608
    )


def _total(young: str) -> Rule:
    """The whole account. Its own rows name nothing: the three rules above do; it finds what none of them explains."""
    outside = f"type NOT IN {PAYOUTS} AND type NOT IN {FEES}"
    booked = (
        f"coalesce(sum(amount_cents) FILTER (WHERE debit_id = {CLEARING} AND code NOT IN {_OUR_OWN}), 0)"
        f" - coalesce(sum(amount_cents) FILTER (WHERE credit_id = {CLEARING} AND code NOT IN {_OUR_OWN}), 0)"
    )
    return Rule(
        name="clearing",
        sentence="The clearing account, before fees and payouts, is the sum of the provider's balance transactions.",
        left=Sum(TRANSFERS, booked),
        right=Sum(ROWS, f"sum(cents) FILTER (WHERE {outside})"),
        broken=f"""
            SELECT 'stripe_clearing', 'holds ' || b.cents || ' cents before fees and payouts, the provider ' || s.cents
            FROM (SELECT {booked} AS cents FROM {TRANSFERS}) b, (SELECT coalesce(sum(cents), 0) AS cents FROM {ROWS}
                  WHERE {outside}) s
            WHERE b.cents <> s.cents AND NOT EXISTS (SELECT FROM {ROWS} WHERE created_at >= {young})
              AND NOT EXISTS (SELECT FROM payments_payment WHERE settled_at >= {young})
        """,  # noqa: S608
        broken_since="SELECT '', '' WHERE false",
    )


def _fees_and_payouts() -> Rule:
    return Rule(
        name="fees and payouts",
        sentence="No more fees and payouts are booked than the provider took and paid.",
        broken=f"""
            SELECT CASE b.code WHEN {int(Code.PAYOUT)} THEN 'payouts' ELSE 'fees' END,
                   b.cents || ' cents booked, ' || s.cents || ' at the provider'
            FROM (SELECT code, sum(CASE WHEN credit_id = {CLEARING} THEN amount_cents ELSE -amount_cents END) AS cents
                  FROM {TRANSFERS} WHERE code IN {_OUR_OWN} GROUP BY code) b
            JOIN (SELECT {int(Code.PAYOUT)} AS code, coalesce(-sum(cents) FILTER (WHERE type IN {PAYOUTS}), 0) AS cents
                    FROM {ROWS}
                  UNION ALL SELECT {int(Code.STRIPE_FEE)},
                    coalesce(sum(fee), 0) - coalesce(sum(cents) FILTER (WHERE type IN {FEES}), 0) FROM {ROWS}) s
              ON s.code = b.code WHERE b.cents > s.cents
        """,  # noqa: S608
        broken_since="SELECT '', '' WHERE false",
    )
