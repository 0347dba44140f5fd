"""What must be so between bills and the book, and between claims and what they sum to (`check_ledger`)."""

from ledger.chart import Code
from ledger.checks import TOUCHED, TRANSFERS, WEIGHT, Rule, Sum, weighed

_CHARGE = f"code = {int(Code.BILL_ISSUED)} AND reverses_id IS NULL"
_CHARGED = """
    SELECT 'bill ' || b.number, 'is of ' || b.amount_cents || ' cents, charged ' || c.cents || ' in ' || c.transfers
           || CASE c.transfers WHEN 1 THEN ' transfer' ELSE ' transfers' END
    FROM {bills} CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.amount_cents), 0) AS cents, count(*) AS transfers FROM ledger_transfer t
        WHERE t.debit_id = b.receivable_id AND {charge}
    ) c WHERE b.amount_cents <> c.cents OR c.transfers <> (b.amount_cents > 0)::int
    UNION ALL
    SELECT 'transfer ' || t.id, 'charges account ' || t.debit_id || ', which is of no bill'
    FROM ledger_transfer t WHERE {charge} {day}
      AND NOT EXISTS (SELECT FROM bills_bill b WHERE b.receivable_id = t.debit_id)
"""
_OF_THE_DAY = f"""
    (WITH {TOUCHED}
     SELECT b.* FROM touched JOIN bills_bill b ON b.receivable_id = touched.id
     UNION SELECT * FROM bills_bill WHERE created_at >= %(since)s) b
"""  # noqa: S608  # here and below: the parts are constants
_BROKEN = _CHARGED.format(bills="bills_bill b", charge=_CHARGE, day="")
_BROKEN_SINCE = _CHARGED.format(bills=_OF_THE_DAY, charge=_CHARGE, day="AND t.created_at >= %(since)s")

_CLAIMS = "bills_claim WHERE status = 'active'"
_MEMBER_YEAR = "(member_id * 10000 + {0})"
_OF_CLAIM = WEIGHT.format(_MEMBER_YEAR.format("extract(year FROM service_on)::int"))
_OF_ACCUMULATOR = WEIGHT.format(_MEMBER_YEAR.format("year"))
_OUT_OF_POCKET = "(deductible_cents + copay_cents + coinsurance_cents)"
_ACCUMULATED = f"""
    SELECT 'member ' || coalesce(a.member_id, c.member_id) || ' in ' || coalesce(a.year, c.year),
           'counts ' || coalesce(a.deductible_cents, 0) || ' and ' || coalesce(a.out_of_pocket_cents, 0)
           || ' cents, the claims ' || coalesce(c.deductible, 0) || ' and ' || coalesce(c.out_of_pocket, 0)
    FROM {{accumulators}} a FULL JOIN (
        SELECT member_id, extract(year FROM service_on)::int AS year, sum(deductible_cents) AS deductible,
               sum({_OUT_OF_POCKET}) AS out_of_pocket
        FROM {_CLAIMS} {{members}} GROUP BY 1, 2
    ) c ON c.member_id = a.member_id AND c.year = a.year
    WHERE coalesce(a.deductible_cents, 0) <> coalesce(c.deductible, 0)
       OR coalesce(a.out_of_pocket_cents, 0) <> coalesce(c.out_of_pocket, 0)
"""  # noqa: S608
_MEMBERS = "(SELECT DISTINCT member_id FROM bills_claim WHERE created_at >= %(since)s)"

RULES: tuple[Rule, ...] = (
    Rule(
        name="charges",
        sentence="Every bill's amount equals its charge.",
        left=Sum(TRANSFERS, f"sum({weighed('amount_cents', 'debit_id')}) FILTER (WHERE {_CHARGE})"),
        right=Sum("bills_bill", f"sum({weighed('amount_cents', 'receivable_id')})"),
        broken=_BROKEN,
        broken_since=_BROKEN_SINCE,
    ),
    Rule(
        name="charged once",
        sentence="Every bill of more than nothing is charged once.",
        left=Sum(TRANSFERS, f"count(*) FILTER (WHERE {_CHARGE})"),
        right=Sum("bills_bill", "count(*) FILTER (WHERE amount_cents > 0)"),
        broken=_BROKEN,
        broken_since="SELECT '', '' WHERE false",  # the rule above has looked at the day's
    ),
    Rule(
        name="deductibles",
        sentence="What counts towards a member's deductible is what the active claims of the year say.",
        left=Sum(_CLAIMS, f"sum(deductible_cents * {_OF_CLAIM})"),
        right=Sum("bills_accumulator", f"sum(deductible_cents * {_OF_ACCUMULATOR})"),
        broken=_ACCUMULATED.format(accumulators="bills_accumulator", members=""),
        broken_since=_ACCUMULATED.format(
            accumulators=f"(SELECT * FROM bills_accumulator WHERE member_id IN {_MEMBERS})",  # noqa: S608
            members=f"AND member_id IN {_MEMBERS}",
        ),
    ),
    Rule(
        name="out of pocket",
        sentence="What counts towards a member's out-of-pocket limit is what the active claims of the year say.",
        left=Sum(_CLAIMS, f"sum({_OUT_OF_POCKET} * {_OF_CLAIM})"),
        right=Sum("bills_accumulator", f"sum(out_of_pocket_cents * {_OF_ACCUMULATOR})"),
        broken=_ACCUMULATED.format(accumulators="bills_accumulator", members=""),
        broken_since="SELECT '', '' WHERE false",
    ),
)
