"""The two letters of a state of the United States, by either way of writing it."""

NAMES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware"
    "|DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas"
    "|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi"
    "|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York"
    "|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico"
    "|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia"
    "|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"
)
CODES = {name[3:].lower(): name[:2] for name in NAMES.split("|")}
KNOWN = frozenset(CODES.values())


def state_code(written: str) -> str:
    """`Massachusetts` or `ma` → `MA`; nothing for what is no state."""
    code = written.upper()
    return code if code in KNOWN else CODES.get(written.lower(), "")
