"""What staff do with an account that closed, or is to close: on the household's page, with a reason."""

from typing import Any

from accounts import closing, departures
from accounts.departure_admin import PERMISSION
from accounts.models import Household, User
from accounts.staff import OWN_WORDS, Action


def _reopen(user: User, household: Household, cleaned: dict[str, Any]) -> str:
    closing.reopen(household, by=user, reason=cleaned["reason"])
    return "The account is open again."


def _close(user: User, household: Household, cleaned: dict[str, Any]) -> str:
    closing.close(household, by=user, reason=cleaned["reason"])
    return "The account is closed."


ACTIONS = (
    Action(
        suffix="reopen", label="Open the account again", permission=PERMISSION, run=_reopen,
        applies=lambda household: household.closed_on is not None,
        refusals={departures.Refused: OWN_WORDS},
        explains="Restored: its holder can plan again who leaves and who holds it next, and its post goes to the "
        "household's address. Not restored: coverage and premiums that were ended, autopay, credit that was sent back; "
        "begin those anew. Bills, payments and the sign-in were never closed. You can close it again.",
    ),
    Action(
        suffix="close", label="Close the account", permission=PERMISSION, run=_close,
        applies=lambda household: household.closed_on is None,
        refusals={departures.Refused: OWN_WORDS},
        explains="For an account of which nobody is left but its holder, who told you so. What is open is still seen "
        "and paid. Coverage and credit become work. You can open it again.",
    ),
)  # fmt: skip
