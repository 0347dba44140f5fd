"""The rules that an installation begins with, with where each was read. Entered by a migration; edited in the admin.

What is marked (check) in a source was read in secondary material only: have it confirmed before members rely on it.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

D = dt.date
# year, region, first, each more (dollars), from, version
GUIDELINES = (
    (2025, "48", 15_650, 5_500, D(2025, 1, 15), "90 FR 5917"),
    (2025, "AK", 19_550, 6_880, D(2025, 1, 15), "90 FR 5917"),
    (2025, "HI", 17_990, 6_330, D(2025, 1, 15), "90 FR 5917"),
    (2026, "48", 15_960, 5_680, D(2026, 1, 13), "91 FR 1797"),
    (2026, "AK", 19_950, 7_100, D(2026, 1, 13), "91 FR 1797"),
    (2026, "HI", 18_360, 6_530, D(2026, 1, 13), "91 FR 1797"),
)  # fmt: skip
NORTHWEST = ((200, 100), (300, 75), (350, 50), (400, 25))
# state, name, bands, other fields, source
POLICIES: tuple[tuple[str, str, tuple[tuple[int, int], ...], dict[str, object], str], ...] = (
    ("", "Every other state", NORTHWEST, {}, "26 CFR 1.501(r)-4; bands as in the Northwest (check)"),
    ("CA", "California", ((200, 100), (300, 75), (400, 50)), {"takes_any_time": True},
     "Health plan's page: up to 400 %, from 100 % to 50 %; the steps between are ours (check). AB 2297, AB 1020"),
    ("OR", "Oregon", NORTHWEST, {}, "Oregon's floor: 200/300/350/400 % give 100/75/50/25 %"),
    ("WA", "Washington", NORTHWEST, {}, "The plan's Northwest policy (check)"),
    ("CO", "Colorado", ((250, 100), (300, 75)), {}, "Older page: up to 300 %; the steps are ours (check). HB21-1198"),
    ("MD", "Maryland", ((200, 100), (300, 75), (400, 55), (500, 35)), {},
     "HB 268 of 2025: free to 200 %, 35 to 75 % off to 500 %; the steps are ours (check)"),
)  # fmt: skip
POLICIES_FROM = D(2025, 1, 1)
EXCLUDED = (
    ("cosmetic", "Cosmetic services"), ("hearing aid", "Hearing aids"), ("eyeglass", "Optical"),
    ("contact lens", "Optical"), ("optical", "Optical"), ("elective", "Elective, not urgent"),
)  # fmt: skip
# state, from, to, from age, to age, over, up to, years
CHARITABLE = (
    ("CA", D(2025, 1, 1), D(2025, 12, 31), 0, 18, 266, 300, None),
    ("CA", D(2025, 1, 1), D(2025, 12, 31), 19, 130, 138, 300, None),
    ("CA", D(2026, 1, 1), None, 0, 20, 0, 300, None),
    ("CA", D(2026, 1, 1), None, 21, 130, 0, 300, 3),
)  # fmt: skip
CHARITABLE_SOURCE = "Charitable health coverage, California, as of 2026-01-01 (secondary)"


def enter(model: Callable[[str], Any]) -> None:
    """Enter what is not there yet. `model` gives a model by its name, as migrations do."""
    for year, region, first, more, since, version in GUIDELINES:
        model("PovertyGuideline").objects.get_or_create(
            year=year, region=region, version=version,
            defaults={"first_cents": first * 100, "each_more_cents": more * 100, "effective_from": since},
        )  # fmt: skip
    for state, name, bands, fields, source in POLICIES:
        policy, is_new = model("AssistancePolicy").objects.get_or_create(
            state=state, effective_from=POLICIES_FROM, defaults={"name": name, "source": source, **fields}
        )
        for up_to_pct, award_pct in bands if is_new else ():
            model("PolicyBand").objects.create(policy=policy, up_to_pct=up_to_pct, award_pct=award_pct)
    for word, why in EXCLUDED:
        model("ExcludedService").objects.get_or_create(word=word, defaults={"why": why})
    for state, since, until, from_age, to_age, over, up_to, years in CHARITABLE:
        model("CharitableRule").objects.get_or_create(
            state=state, effective_from=since, from_age=from_age,
            defaults={"effective_to": until, "to_age": to_age, "over_pct": over, "up_to_pct": up_to,
                      "years_at_most": years, "source": CHARITABLE_SOURCE},
        )  # fmt: skip
