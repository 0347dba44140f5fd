"""What a coverage costs in a month, in SQL: the one place where part months are worked out.

Needs a coverage `c` and a month `m` (first, last: its first and last day; days: how many it has). Yields `d` (days
covered, subsidised, supported), `g.gross_cents`, `s.subsidy_cents` and `h.charitable_cents`, US cents.

The month's premium times the days covered, divided by the days of the month, rounded half up; the subsidies likewise by
the days on which each holds, and never more than what is left of the premium. So the member's share, what is left after
both, is never below nothing, and the parts sum to the whole. (`least` and `greatest` pass over a
null: an end or a start that is not set.)
"""

from accounts.aids import CHARITABLE, SUBSIDY, Aid


def _share(cents: str, days: str) -> str:
    return f"(2 * {cents} * {days} + m.days) / (2 * m.days)"


def _aided(aid: Aid) -> str:
    return _days(f"c.{aid.ends_on}", since=f"c.{aid.starts_on or 'start_on'}")


def _days(*ends: str, since: str = "c.start_on") -> str:
    last, first = f"least({', '.join((*ends, 'c.end_on', 'm.last'))})", f"greatest({since}, c.start_on, m.first)"
    return f"greatest(0, {last} - {first} + 1)::bigint"


MONTH_AMOUNTS = f"""
    CROSS JOIN LATERAL (SELECT {_days()} AS covered, {_aided(SUBSIDY)} AS subsidised,
                               {_aided(CHARITABLE)} AS supported) d
    CROSS JOIN LATERAL (SELECT {_share("c.premium_cents", "d.covered")} AS gross_cents) g
    CROSS JOIN LATERAL (
        SELECT least(g.gross_cents, {_share("c.subsidy_cents", "d.subsidised")}) AS subsidy_cents) s
    CROSS JOIN LATERAL (
        SELECT least(g.gross_cents - s.subsidy_cents, {_share("c.charitable_cents", "d.supported")})
            AS charitable_cents) h
"""  # noqa: S608  # the parts are constants
