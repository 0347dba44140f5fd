"""The page of saved methods, in words: what each is, how it stands, what can be done with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from payments import blocking, expiry, methods, sharing, verification, wording
from payments.models import MethodShare, PaymentMethod

EXPIRING_DAYS = max(expiry.NOTICE_DAYS)


@dataclass(frozen=True, slots=True)
class Status:
    """How a method stands: a word for the pill, and what it means and what to do, empty where all is well."""

    name: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    """One method of the viewer's own."""

    method: PaymentMethod
    name: str
    note: str
    status: Status
    is_expired: bool
    shares: list[MethodShare]
    planned: int

    @property
    def is_ready(self) -> bool:
        """Whether it can be the default and be shared."""
        return self.method.is_ready and not self.is_expired

    @property
    def is_pending(self) -> bool:
        """Whether its owner has to verify it."""
        return self.method.blocked_at is None and self.method.state == PaymentMethod.State.PENDING


def of(own: Iterable[PaymentMethod]) -> list[Row]:
    """The rows of one's own methods: shares in one query, planned payments in one a method."""
    own = list(own)
    shares = sharing.of(own)
    return [row(method, shares[method.pk]) for method in own]


def row(method: PaymentMethod, shares: list[MethodShare]) -> Row:
    """One row."""
    option = wording.option(method)
    return Row(
        method=method,
        name=option.name,
        note=option.note,
        status=status_of(method),
        is_expired=methods.is_expired(method),
        shares=shares,
        planned=len(methods.scheduled_by_owner(method)),
    )


def status_of(method: PaymentMethod) -> Status:
    """How a method stands."""
    if method.blocked_at is not None:
        return Status(_("Cannot be used"), str(blocking.reason_of(method.blocked_code)), "late")
    if method.state == PaymentMethod.State.PENDING:
        return Status(_("To be verified"), "", "due")
    if method.state == PaymentMethod.State.FAILED:
        return Status(_("Not verified"), why_not_verified(method.blocked_code), "late")
    if methods.is_expired(method):
        return Status(_("Expired"), _("Replace it with your new card."), "late")
    if (left := expiry.days_left(method)) is not None and left <= EXPIRING_DAYS:
        return Status(_("Expires soon"), _("Replace it when your new card has come."), "due")
    if method.kind == PaymentMethod.Kind.BANK_ACCOUNT:
        return Status(_("Verified"), "", "paid")
    return Status("", "", "")


def why_not_verified(code: str) -> str:
    """Why an account was not verified and what to do."""
    if code in ("too_late", "abandoned") or code.endswith("_timeout"):
        return _("It was not verified within %(days)d days. Remove it and add it again.") % {
            "days": verification.LIFE.days
        }
    if code == "too_many_tries" or code.endswith("_exceeded"):
        return _("There were too many wrong tries. Remove it, and add it again or use another account.")
    return _("Your bank account could not be verified. Remove it, and add it again or use another account.")
