"""How often guests may try: to name a bill, and to charge a card (FAULTS G01, G08, G09, G14).

Every try is counted before it is made, by one atomic script in Valkey a limit, so that no number of parallel calls
passes a limit. Where Valkey does not answer, guests wait (Closed): the chance of a guess is promised for all processes
together, and members who sign in still pay. docs/guest-pay.md computes the chance.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.rate_limits import DAY, HOUR, MINUTE, Limit, NotCounted, account_key, forgive, take
from activity.recording import open_work
from bills.numbers import ALPHABET
from payments.checkout import CheckoutError

LOOKUP_PER_BROWSER = Limit("guest-lookup:browser", 10, HOUR)
LOOKUP_PER_ADDRESS = Limit("guest-lookup:address", 20, HOUR)
LOOKUP_PER_ADDRESS_A_DAY = Limit("guest-lookup:address-day", 60, DAY)
LOOKUP_PER_NETWORK = Limit("guest-lookup:network", 60, HOUR)
LOOKUP_PER_BILL = Limit("guest-lookup:bill", 5, HOUR)
LOOKUP_PER_BILL_A_DAY = Limit("guest-lookup:bill-day", 10, DAY)
LOOKUP_WITHOUT_CHALLENGE = Limit("guest-lookup:easy", 3, HOUR)
LINK_PER_ADDRESS = Limit("guest-link:address", 120, HOUR)

DRAFT_PER_VISIT = Limit("guest-draft:visit", 20, HOUR)
DRAFT_PER_ADDRESS = Limit("guest-draft:address", 60, HOUR)
METHOD_PER_VISIT = Limit("guest-method:visit", 10, HOUR)
METHOD_PER_ADDRESS = Limit("guest-method:address", 30, HOUR)
DOCUMENT_PER_VISIT = Limit("guest-document:visit", 10, HOUR)
DOCUMENT_PER_ADDRESS = Limit("guest-document:address", 30, HOUR)
CHARGE_PER_VISIT = Limit("guest-charge:visit", 3, HOUR)  # forgiven by a charge that succeeds
CHARGE_PER_BILL = Limit("guest-charge:bill", 5, HOUR)
CHARGE_PER_BILL_A_DAY = Limit("guest-charge:bill-day", 15, DAY)
CHARGE_PER_ADDRESS = Limit("guest-charge:address", 10, HOUR)
CHARGE_PER_NETWORK = Limit("guest-charge:network", 30, HOUR)
CHARGE_WITHOUT_CHALLENGE_PER_BILL = Limit("guest-charge:easy-bill", 2, HOUR)
CHARGE_WITHOUT_CHALLENGE_PER_ADDRESS = Limit("guest-charge:easy-address", 2, HOUR)
WAITS_PER_ADDRESS = Limit("guest-wait:address", 1, MINUTE)
FAILED_OVERALL = Limit("guest-failed:all", 30, HOUR)
RECEIPTS_PER_MAILBOX = Limit("guest-receipt:mailbox", 5, DAY)
ALARMS = Limit("guest-alarm", 1, HOUR)


NUMBERS = len(ALPHABET) ** 8  # of bills: eight symbols, drawn
BIRTH_DATES = 20_000  # as good as so many alike: no day is the birth date of more than one in 20,000


@dataclass(frozen=True, slots=True)
class Who:
    """Where a guest's request comes from: the browser's own secret, its address, and the network around that."""

    browser: str
    address: str
    network: str


class TooManyTries(CheckoutError):
    """A limit is used up. It reads the same whichever it is, and whatever was typed."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "There were many tries in a short time. Wait an hour and try again. The link or the code printed on "
                "the bill works meanwhile, and so does signing in."
            )
        )


class ChallengeNeeded(CheckoutError):
    """One more step is needed before this try: payments.guest_challenge."""

    def __init__(self) -> None:
        super().__init__(_("One more step: your browser proves that it is not a robot, below. Then try again."))


class Closed(CheckoutError):
    """Tries cannot be counted now, so none is made."""

    def __init__(self) -> None:
        super().__init__(_("This cannot be done right now. Try again in a few minutes, or call us."))


def chance_a_day(open_bills: int) -> float:
    """The chance that anybody, by guessing numbers and birth dates all day at the limit, names one of these bills."""
    guesses = settings.GUEST_PAY_LOOKUPS_AN_HOUR * 24
    return guesses * open_bills / (NUMBERS * BIRTH_DATES)


def before_lookup(who: Who, number: str, *, has_proof: bool) -> None:
    """Count one try to name the bill of this number, whether there is one or not.

    Raises ChallengeNeeded, TooManyTries, Closed.
    """
    overall = Limit("guest-lookup:all", settings.GUEST_PAY_LOOKUPS_AN_HOUR, HOUR)
    calm = Limit("guest-lookup:calm", max(1, settings.GUEST_PAY_LOOKUPS_AN_HOUR // 2), HOUR)
    if not has_proof and not _take((LOOKUP_WITHOUT_CHALLENGE, who.address), (calm, "all")):
        raise ChallengeNeeded
    narrow = _take(
        (LOOKUP_PER_ADDRESS, who.address),
        (LOOKUP_PER_BROWSER, who.browser),
        (LOOKUP_PER_ADDRESS_A_DAY, who.address),
        (LOOKUP_PER_NETWORK, who.network),
        (LOOKUP_PER_BILL, number),
        (LOOKUP_PER_BILL_A_DAY, number),
    )
    if not narrow:
        raise TooManyTries
    if not _take((overall, "all")):
        _alarm("lookups", "The hour's tries to name a bill are used up.")
        raise TooManyTries


def before_link(who: Who) -> None:
    """Count one opening of a link. Raises TooManyTries, Closed."""
    if not _take((LINK_PER_ADDRESS, who.address)):
        raise TooManyTries


def before_draft(who: Who, visit: str) -> None:
    """Count one more draft. Raises TooManyTries, Closed."""
    if not _take((DRAFT_PER_VISIT, visit), (DRAFT_PER_ADDRESS, who.address)):
        raise TooManyTries


def before_method(who: Who, visit: str) -> None:
    """Count one method that the provider is asked about. Raises TooManyTries, Closed."""
    if not _take((METHOD_PER_VISIT, visit), (METHOD_PER_ADDRESS, who.address)):
        raise TooManyTries


def before_charge(who: Who, visit: str, bill_id: int, *, has_proof: bool) -> None:
    """Count one charge that a guest tries, as if it would fail. Raises ChallengeNeeded, TooManyTries, Closed."""
    bill = str(bill_id)
    overall = Limit("guest-charge:all", settings.GUEST_PAY_CHARGES_AN_HOUR, HOUR)
    calm = Limit("guest-charge:calm", max(1, settings.GUEST_PAY_CHARGES_AN_HOUR // 2), HOUR)
    is_easy = has_proof or _take(
        (CHARGE_WITHOUT_CHALLENGE_PER_BILL, bill), (CHARGE_WITHOUT_CHALLENGE_PER_ADDRESS, who.address), (calm, "all")
    )
    if not is_easy:
        raise ChallengeNeeded
    narrow = _take(
        (CHARGE_PER_VISIT, visit),
        (CHARGE_PER_ADDRESS, who.address),
        (CHARGE_PER_NETWORK, who.network),
        (CHARGE_PER_BILL, bill),
        (CHARGE_PER_BILL_A_DAY, bill),
    )
    if not narrow:
        raise TooManyTries
    if not _take((overall, "all")):
        _alarm("charges", "The hour's charges of guests are used up.")
        raise TooManyTries


def before_document(who: Who, visit: str) -> None:
    """Count one PDF, which costs as much as many pages. Raises TooManyTries, Closed."""
    if not _take((DOCUMENT_PER_VISIT, visit), (DOCUMENT_PER_ADDRESS, who.address)):
        raise TooManyTries


def after_charge(visit: str, *, has_failed: bool) -> None:
    """Forgive a visit whose charge went through; sound the alarm where many fail."""
    if not has_failed:
        forgive(CHARGE_PER_VISIT, visit)
    elif not take((FAILED_OVERALL, "all")):
        _alarm("declines", f"More than {FAILED_OVERALL.amount} charges of guests failed within an hour.")


def takes_receipt(email: str) -> bool:
    """Count one receipt to a mailbox, which may be somebody else's (FAULTS G16). Raises Closed."""
    return _take((RECEIPTS_PER_MAILBOX, account_key(email)))


def once(name: str, key: str) -> bool:
    """Whether this key is used for the first time within 20 minutes. Raises Closed."""
    return _take((Limit(f"guest-once:{name}", 1, 20 * MINUTE), key))


def may_wait(who: Who, ticket: str) -> bool:
    """Whether this ticket of a minute's wait is used for the first time: one a minute and address. Raises Closed."""
    return once("wait", ticket) and _take((WAITS_PER_ADDRESS, who.address))


def _take(*claims: tuple[Limit, str]) -> bool:
    try:
        return take(*claims, needs_valkey=True)
    except NotCounted as error:
        raise Closed from error


def _alarm(what: str, detail: str) -> None:
    """Work for staff, one an hour."""
    if take((ALARMS, what)):
        hour = timezone.now().strftime("%Y-%m-%dT%H")
        open_work("guest_pay", subject="guest-pay", dedupe_key=f"guest-pay:{what}:{hour}", detail=detail)
