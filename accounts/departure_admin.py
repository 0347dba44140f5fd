"""What Member Services do when somebody leaves a household or has died: on the member's page, with a reason."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from accounts import departures, successions
from accounts.models import Departure, Member, User
from accounts.models.departures import POSTAL
from accounts.staff import OWN_WORDS, Action, ActionForm, Refused

PERMISSION = "accounts.add_departure"


class LeavesForm(ActionForm):
    """Why, and the first day on which the holder sees nothing any more."""

    cause = forms.ChoiceField(
        choices=[("moving_out", "Moving out"), ("divorce", "Divorce or separation")], required=True
    )  # fmt: skip
    on = forms.DateField(
        label="First day apart", widget=forms.DateInput(attrs={"type": "date"}),
        help_text="From its midnight; a day that has passed holds at once.",
    )  # fmt: skip
    address = forms.CharField(max_length=200, required=False, label="Where letters go: street address or PO box")
    city = forms.CharField(max_length=100, required=False)
    state = forms.RegexField(r"\A[A-Z]{2}\Z", required=False, help_text="Two capitals.")
    zip = forms.RegexField(r"\A[0-9]{5}\Z", required=False, label="ZIP code")
    field_order = ("cause", "on", *POSTAL, "reason", "key")


class HolderForm(ActionForm):
    """Who holds the account next, and from which day."""

    successor = forms.CharField(max_length=20, label="Member number of who holds the account next")
    on = forms.DateField(
        label="First day", widget=forms.DateInput(attrs={"type": "date"}),
        help_text="From its midnight; at once where the day has passed, or the holder has died.",
    )  # fmt: skip
    field_order = ("successor", "on", "reason", "key")


class DeathForm(ActionForm):
    """The day of the death, as the proof has it."""

    on = forms.DateField(label="Day of the death", widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("on", "reason", "key")


def _leaves(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    on: dt.date = cleaned["on"]
    letters = {name: cleaned.get(name, "") for name in POSTAL}
    if any(letters.values()) and not all(letters.values()):
        raise Refused("Write the whole address, or none.")
    departures.record_leaving(
        member, cause=cleaned["cause"], on=on, by=user, reason=cleaned["reason"],
        letters=letters if all(letters.values()) else None,
    )  # fmt: skip
    return f"The account holder sees nothing of this member from {on} on."


def _stays(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    departures.call_off(member, by=user, reason=cleaned["reason"])
    return "It is called off. Everything stays as it was."


def _died(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    departures.record_death(member, on=cleaned["on"], by=user, reason=cleaned["reason"])
    return "The death is recorded. Open bills wait; autopay, plans and the sign-in end."


def _lives(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    departures.undo_death(member, by=user, reason=cleaned["reason"])
    return "The record of the death is taken back. Its bills go on; autopay and plans have to be begun anew."


def _holds_next(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    successor = Member.objects.people().filter(number=cleaned["successor"].strip(), household=member.household).first()
    if successor is None:
        raise Refused("There is no member of this number in the household.")
    successions.record_succession(member, successor=successor, on=cleaned["on"], by=user, reason=cleaned["reason"])
    return f"{successor.full_name} holds the account from {cleaned['on']} on, or at once after a death."


def _is_of_household(member: Member) -> bool:
    is_gone = member.left_on is not None and member.left_on <= timezone.localdate()
    return member.died_on is None and not is_gone and member.private_of_id is None


def _is_planned(member: Member) -> bool:
    return Departure.objects.planned().filter(member=member, cause__in=departures.BY_MEMBERS).exists()


ACTIONS = (
    Action(
        suffix="leaves", label="Leaves the household", permission=PERMISSION, form=LeavesForm, run=_leaves,
        applies=lambda member: _is_of_household(member) and not member.is_primary_holder,
        refusals={departures.Refused: OWN_WORDS},
        explains="From that midnight the account holder sees nothing of this member, and pays nothing by autopay, plan "
        "or schedule. What is on its way settles. Both are told.",
    ),
    Action(
        suffix="holder", label="Another person holds the account", permission=PERMISSION, form=HolderForm,
        run=_holds_next, applies=lambda member: member.is_primary_holder,
        refusals={departures.Refused: OWN_WORDS},
        explains="For an adult of the household who signs in and has told you that they agree. The holder leaves it, "
        "and keeps what is their own; after a death the account goes on. Both are told.",
    ),
    Action(
        suffix="stays", label="Does not leave", permission=PERMISSION, run=_stays, applies=_is_planned,
        refusals={departures.Refused: OWN_WORDS},
        explains="Calls off what is planned, whoever planned it.",
    ),
    Action(
        suffix="died", label="Has died", permission=PERMISSION, form=DeathForm, run=_died,
        applies=lambda member: member.died_on is None and member.private_of_id is None,
        refusals={departures.Refused: OWN_WORDS},
        explains="Open bills wait; autopay, plans, delegates and the sign-in end now, and nothing is sent to them any "
        "more. See proof first.",
    ),
    Action(
        suffix="lives", label="Death recorded in error", permission=PERMISSION, run=_lives,
        applies=lambda member: member.died_on is not None and member.private_of_id is None,
        refusals={departures.Refused: OWN_WORDS},
        explains="The bills go on and the sign-in works again. What ended has to be begun anew.",
    ),
)  # fmt: skip
