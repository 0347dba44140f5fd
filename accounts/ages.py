"""Ages, and what follows from them in the portal's time zone: at midnight of the birthday, whatever ran or did not."""

import datetime as dt

ADULT_AT = 18
LEAP_DAY = (2, 29)


def age_on(born: dt.date, today: dt.date) -> int:
    """Full years lived. Who was born on 29 February has a birthday on 1 March in other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def latest_birth(years: int, today: dt.date) -> dt.date:
    """The latest birth date of somebody who has lived so many years on this day."""
    if (today.month, today.day) == LEAP_DAY:
        return dt.date(today.year - years, 2, 28 + _is_leap(today.year - years))
    return today.replace(year=today.year - years)


def birthday(born: dt.date, years: int) -> dt.date:
    """The day on which somebody becomes so old."""
    year = born.year + years
    if (born.month, born.day) == LEAP_DAY and not _is_leap(year):
        return dt.date(year, 3, 1)
    return born.replace(year=year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def is_apart(
    *, today: dt.date, born: dt.date, joined_on: dt.date, left_on: dt.date | None, is_confidential: bool, is_seen: bool
) -> bool:
    """Whether a holder sees nothing of a member by holding: `Member.is_apart` says when.

    Who joined as an adult joined an account that its holder sees; who grew up on it never agreed to that.
    """
    since = apart_from(today=today, born=born, joined_on=joined_on, left_on=left_on, is_seen=is_seen)
    return is_confidential or since is not None


def apart_from(
    *, today: dt.date, born: dt.date, joined_on: dt.date, left_on: dt.date | None, is_seen: bool
) -> dt.date | None:  # fmt: skip
    """Since which day a holder sees nothing of a member who left or came of age; None of who did neither."""
    comes_of_age = birthday(born, ADULT_AT)
    days = [left_on] if left_on is not None and left_on <= today else []
    days += [comes_of_age] if joined_on < comes_of_age <= today and not is_seen else []
    return min(days, default=None)


def apart_sql(member: str) -> str:
    """`Member.is_apart` in SQL, of a member who is no holder, under this alias; needs the parameter `today`."""
    return f"""(
        {member}.confidential_since IS NOT NULL OR coalesce({member}.left_on <= %(today)s::date, false)
        OR ({member}.seen_by_holder_since IS NULL
            AND {member}.birth_date <= (%(today)s::date - interval '{ADULT_AT} years')::date
            AND {member}.birth_date > ({member}.joined_on - interval '{ADULT_AT} years')::date)
    )"""
