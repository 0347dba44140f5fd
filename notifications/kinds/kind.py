"""What a kind of notice is: its name, which events make it, whom it is told to, and by which rules."""

from dataclasses import dataclass
from enum import Enum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.audience import Audience


class Topic(models.TextChoices):
    """Under which heading a kind stands among the preferences and the filters of the list."""

    BILLS = "bills", _("Bills and due dates")
    PAYMENTS = "payments", _("Payments and refunds")
    AUTOPAY = "autopay", _("Autopay")
    METHODS = "methods", _("Payment methods")
    FAMILY = "family", _("Family and people who help")
    HELP = "help", _("Help with costs")
    SUPPORT = "support", _("Questions and answers")
    SECURITY = "security", _("Security and settings")
    SUMMARIES = "summaries", _("Summaries")


class Bill(Enum):
    """What must hold of the bill that a notice is about, at the moment of sending."""

    ANY = "any"
    OWED = "owed"  # something is to be paid that is not on its way, and it is neither void nor on hold
    DUE = "due"  # and it is not past due yet
    PAST_DUE = "past due"  # and it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of notice."""

    name: str  # at most 40 characters: Notification.kind, and the folder of its templates
    label: str | Promise  # what the list and the preferences call it
    topic: Topic
    events: tuple[str, ...] = ()  # the events that make it; none: something else does (reminders, the digest)
    told: Audience | None = None
    is_required: bool = False  # cannot be switched off: the law, or safety of the account, asks for it
    is_security: bool = False  # heeds no quiet hours
    is_on_at_first: bool = True  # mailed to who has said nothing about it
    may_state_amount: bool = False  # where the member asked for amounts
    must_state_amount: bool = False  # a notice that the law wants to state it (Reg E 12 CFR 1005.10(d)(1))
    true_in: frozenset[str] | None = None  # in which states of its payment or charge it is still true; None: in all
    bill: Bill = Bill.ANY  # what must hold of its bill for it to be still true
    days: int | None = None  # a reminder: so many days before the bill is due, or after (negative)
    folder: str = ""  # of the templates, where several kinds share them

    @property
    def templates(self) -> str:
        """The folder of its templates under templates/mail/."""
        return self.folder or self.name
