"""The states' terms as they stand at first: nothing is charged anywhere; the caps are the laws' (RULES section 5)."""

import datetime as dt
from typing import Any

SINCE = dt.date(2020, 1, 1)

FIRST_RULES: tuple[dict[str, Any], ...] = (
    {"state": "CA", "cap_rate_bp": 0, "cap_late_fee_cents": 0, "source": "H&S 127400-127425: interest-free"},
    {"state": "NY", "cap_rate_bp": 200, "cap_late_fee_cents": 0, "source": "PHL 2807-k: 2 % a year"},
    {"state": "CO", "cap_rate_bp": 300, "cap_late_fee_cents": 0, "source": "SB23-093: 3 % a year"},
    {"state": "MD", "cap_rate_bp": 0, "cap_late_fee_cents": 0, "source": "ch. 693/694 of 2025"},
    {
        "state": "VA", "cap_rate_bp": 300, "cap_late_fee_cents": 0, "after_days": 90,
        "source": "§59.1-612: none until 90 days after the due date, then 3 % a year",
    },
    {"state": "WA", "cap_rate_bp": 900, "cap_late_fee_cents": 0, "source": "RCW 19.52.010: 9 % a year"},
    {"state": "OR", "cap_rate_bp": 200, "cap_late_fee_cents": 0, "source": "ORS 646A.677: an index of 2 to 5 %"},
)  # fmt: skip
