"""A dispute in words, for the member: what it is, where it stands, and what to do next. One text for each state.

A bank's return has its reason from payments.return_codes. What the plan sends to the bank is staff's business.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments import return_codes
from payments.models import Dispute


@dataclass(frozen=True, slots=True)
class Told:
    """What a member reads of a dispute or a return. `tone` is the look of it: good, waiting, bad."""

    name: str
    meaning: str
    next_step: str
    tone: str


_CALL = _(
    "If you made this payment, call the number on your card and say so: then nothing more is needed. If you did not,"
    " your bank goes on, and you need not do anything here."
)
_ASKED = _("If your bank asks you, tell it whether you made this payment.")
_ALL_DONE = _("You do not need to do anything.")
_OWED = _("The bills of this payment are open again. Pay them another way, or call us.")

# Stripe's states of a dispute (docs.stripe.com/api/disputes/object).
TEXTS: dict[str, tuple[Promise, Promise, Promise, str]] = {
    "warning_needs_response": (
        _("Your bank has a question"), _("Your bank asked us about this payment. No money has moved."), _ASKED,
        "waiting",
    ),
    "warning_under_review": (
        _("Your bank has a question"), _("We have answered your bank's question about this payment. No money has"
        " moved."), _ASKED, "waiting",
    ),
    "warning_closed": (
        _("Your bank's question is settled"), _("Your bank asked about this payment and has closed its question."),
        _ALL_DONE, "good",
    ),
    "needs_response": (
        _("Disputed with your bank"), _("Your bank took this payment back while it looks into it, so its bills are open"
        " again. We will answer your bank."), _CALL, "waiting",
    ),
    "under_review": (
        _("Disputed with your bank"), _("We have answered your bank. It decides within 60 to 75 days; until then the"
        " bills of this payment stay open."), _CALL, "waiting",
    ),
    "appeal_needs_response": (
        _("Disputed with your bank"), _("The decision about this payment was appealed. Until it is made, the bills of"
        " this payment stay open."), _CALL, "waiting",
    ),
    "appeal_under_review": (
        _("Disputed with your bank"), _("The decision about this payment was appealed. Until it is made, the bills of"
        " this payment stay open."), _CALL, "waiting",
    ),
    "won": (
        _("Dispute closed"), _("The payment stands: your bank gave it back to us, and it counts for your bills again."),
        _ALL_DONE, "good",
    ),
    "lost": (
        _("Dispute closed"), _("Your bank decided that you keep the money, so this payment does not count any more."),
        _OWED, "bad",
    ),
    "prevented": (
        _("Dispute closed"), _("Your bank's question about this payment was settled before a dispute began."),
        _ALL_DONE, "good",
    ),
}  # fmt: skip

UNKNOWN = (
    _("Your bank has a question"), _("Your bank asked us about this payment. We are looking into it."), _ASKED,
    "waiting",
)  # fmt: skip

RETURNED = _("Returned by your bank")
RETURNED_TO_OTHER = _("The bank of who paid took this payment back, so its bills are open again.")
OTHERS = _("The bank of who paid asks about this payment.")
RETURN_TAKEN_BACK = _("The payment came through after all: your bank took its return back.")


def of(dispute: Dispute) -> Told:
    """What the member reads of a dispute or a return, as it stands."""
    if dispute.kind == Dispute.Kind.RETURN:
        if not dispute.booked_cents:
            return Told(str(RETURNED), str(RETURN_TAKEN_BACK), str(_ALL_DONE), "good")
        code = return_codes.of(dispute.return_code, reason=dispute.reason)
        return Told(str(RETURNED), str(code.text), str(_OWED), "bad")
    name, meaning, next_step, tone = TEXTS.get(dispute.status, UNKNOWN)
    return Told(str(name), str(meaning), str(next_step), tone)


def for_others(dispute: Dispute) -> Told:
    """What is read by who did not pay: that the money is gone, or not, and nothing of why."""
    told = of(dispute)
    name = _("Returned by the bank") if dispute.kind == Dispute.Kind.RETURN else told.name
    meaning = RETURNED_TO_OTHER if dispute.booked_cents else OTHERS if told.tone == "waiting" else told.meaning
    return Told(str(name), str(meaning), str(_OWED if dispute.booked_cents else _ALL_DONE), told.tone)
