"""Single values of a FHIR resource: text, dates, codes, references and amounts, each read strictly."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import Any

import orjson

from bills.imports.problems import Refused
from ledger.money import MAX_CENTS

Json = dict[str, Any]
Cents = int | Decimal  # exact: a whole number, or with the fraction that the source writes

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?=T|\Z))?)?(?=T|\Z)", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9._:|-]{1,150}", re.ASCII)
# Controls, and the marks that turn the direction of text: neither belongs in a name or a description.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
FIRST_YEAR, LAST_YEAR = 1900, 2200
MAX_DOLLARS = 10_000_000


def text(value: object, limit: int) -> str:
    """A text for display: without controls, at most `limit` characters; nothing where it is no text."""
    if not isinstance(value, str):
        return ""
    if not value.isprintable():
        value = _UNSEEN.sub(" ", value)
    return value.strip()[:limit]


def dictionary(value: object) -> Json:
    """The object, or an empty one where the value is none."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of a list; nothing where the value is no list."""
    return [item for item in value if item.__class__ is dict] if isinstance(value, list) else []


def date_of(value: object) -> dt.date | None:
    """The date as written, of a FHIR date or dateTime; the first day of a month or year. None where it is none."""
    if not isinstance(value, str) or not (match := _DATE.match(value)):
        return None
    year, month, day = match.groups("01")
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def instant_of(value: object) -> dt.datetime | None:
    """An instant with its time zone (UTC where none is written). None where it is none."""
    if not isinstance(value, str):
        return None
    # Some servers write seven decimals of a second; Python reads six.
    try:
        instant = dt.datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value))
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


def codings(concept: object) -> Iterator[tuple[str, str]]:
    """Each (code, display) of a CodeableConcept."""
    if isinstance(concept, dict):
        for coding in objects(concept.get("coding")):
            code = coding.get("code")
            if isinstance(code, str):
                display = coding.get("display")
                yield code, display if isinstance(display, str) else ""


def codes(concept: object) -> list[str]:
    """The codes of a CodeableConcept."""
    return [code for code, _display in codings(concept)]


def amount_of(money: object, field: str) -> Cents | None:
    """The amount of a FHIR Money in US cents, exactly as written; None where it has no value.

    Raises Refused for another currency, for a value that is not a number, and beyond 9,999,999.99.
    """
    if not isinstance(money, dict) or (value := money.get("value")) is None:
        return None
    kind = value.__class__
    if money.get("currency", "USD") != "USD":
        raise Refused("currency", "Only amounts in US dollars are taken.", f"{field}.currency")
    if kind is not float and kind is not int and kind is not Decimal:
        raise Refused("amount", "The amount is not a number.", f"{field}.value")
    if not -MAX_DOLLARS < value < MAX_DOLLARS:
        raise Refused("amount", "The amount is not one of at most 9,999,999.99.", f"{field}.value")
    if kind is float:
        # Nine digits at most: where whole cents give this very float, no other amount of up to 15 digits does.
        whole = round(value * 100)
        return whole if whole / 100 == value else Decimal(repr(value)) * 100
    return value * 100  # type: ignore[no-any-return]


def plain_cents(money: Any) -> Cents:
    """The same, of an amount of US dollars that is not below zero; ValueError, TypeError or KeyError for any other."""
    value = money["value"]
    if money["currency"] == "USD" and 0 <= value < MAX_DOLLARS:
        if value.__class__ is float:
            whole = round(value * 100)
            return whole if whole / 100 == value else Decimal(repr(value)) * 100
        if value.__class__ is int:
            return value * 100
    raise ValueError("not a plain amount")


def cents(amount: Cents, field: str) -> int:
    """Exact cents to whole ones, rounded half up. Raises Refused beyond 9,999,999.99."""
    if not isinstance(amount, int):
        amount = int(amount.to_integral_value(ROUND_HALF_UP))
    if not -MAX_CENTS <= amount <= MAX_CENTS:
        raise Refused("amount", "The amount is not one of at most 9,999,999.99.", f"{field}.value")
    return amount


def resource_id(resource: Json, fallback: str = "") -> str:
    """The id that the source gives the resource. Raises Refused where it has none that can be kept."""
    own = resource.get("id") or fallback
    if not isinstance(own, str) or not _ID.fullmatch(own):
        raise Refused("id", "The resource needs an id of at most 150 letters, digits, dots or hyphens.", "id")
    return own


def reference_key(reference: object, kind: str, aliases: dict[str, str]) -> str:
    """What a reference points to, as `Type/id`; nothing where it points nowhere.

    `aliases` are the full URLs of the same file. Raises Refused for a URL of another server: nothing is ever fetched.
    """
    target = dictionary(reference).get("reference")
    if not isinstance(target, str) or not target or target.startswith("#"):
        return ""
    if target in aliases:
        return aliases[target]
    if target.startswith("urn:uuid:"):
        target = f"{kind}/{target[9:]}"
    found = target.split("/_history/")[0]
    named, _slash, own = found.partition("/")
    if named != kind or not _ID.fullmatch(own):
        raise Refused("external_reference", f"The reference is not to a {kind} of the same source.", "reference")
    return found


def version_of(resource: Json) -> str:
    """A digest of what the resource says, whatever the order of its keys; narrative and metadata do not count."""
    said = {key: value for key, value in resource.items() if key not in ("text", "meta")}
    return blake2b(orjson.dumps(said, default=float, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
