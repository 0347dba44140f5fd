"""The states of a payment and the moves between them: the one table in code, and the same in the database."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PaymentStatus(models.TextChoices):
    """Where a payment stands. `submitted` is also "we do not know yet": a time-out is never a failure."""

    DRAFT = "draft", _("Not sent")
    SUBMITTED = "submitted", _("Submitted")
    REQUIRES_ACTION = "requires_action", _("Waiting for you")
    PROCESSING = "processing", _("On its way")
    SUCCEEDED = "succeeded", _("Posted")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partly refunded")
    REFUNDED = "refunded", _("Refunded")
    DISPUTED = "disputed", _("Disputed")
    RETURNED = "returned", _("Returned by the bank")


S = PaymentStatus

ALLOWED: frozenset[tuple[PaymentStatus, PaymentStatus]] = frozenset(
    {
        (S.DRAFT, S.SUBMITTED),
        (S.DRAFT, S.CANCELED),
        (S.SUBMITTED, S.REQUIRES_ACTION),
        (S.SUBMITTED, S.PROCESSING),
        (S.SUBMITTED, S.SUCCEEDED),
        (S.SUBMITTED, S.FAILED),
        (S.SUBMITTED, S.CANCELED),
        (S.REQUIRES_ACTION, S.PROCESSING),
        (S.REQUIRES_ACTION, S.SUCCEEDED),
        (S.REQUIRES_ACTION, S.FAILED),
        (S.REQUIRES_ACTION, S.CANCELED),
        (S.PROCESSING, S.SUCCEEDED),
        (S.PROCESSING, S.FAILED),
        (S.PROCESSING, S.CANCELED),
        # The provider says so in the end: money that came is never called failed.
        (S.FAILED, S.SUCCEEDED),
        (S.CANCELED, S.SUCCEEDED),
        (S.SUCCEEDED, S.PARTIALLY_REFUNDED),
        (S.SUCCEEDED, S.REFUNDED),
        (S.SUCCEEDED, S.DISPUTED),
        (S.SUCCEEDED, S.RETURNED),
        (S.PARTIALLY_REFUNDED, S.SUCCEEDED),
        (S.PARTIALLY_REFUNDED, S.REFUNDED),
        (S.PARTIALLY_REFUNDED, S.DISPUTED),
        (S.PARTIALLY_REFUNDED, S.RETURNED),
        (S.REFUNDED, S.SUCCEEDED),
        (S.REFUNDED, S.PARTIALLY_REFUNDED),
        # A bank asks for the whole of a payment also where it went back already.
        (S.REFUNDED, S.DISPUTED),
        (S.REFUNDED, S.RETURNED),
        (S.DISPUTED, S.SUCCEEDED),
        (S.DISPUTED, S.PARTIALLY_REFUNDED),
        (S.DISPUTED, S.REFUNDED),
        (S.DISPUTED, S.RETURNED),
        # A return that the bank takes back itself.
        (S.RETURNED, S.SUCCEEDED),
        (S.RETURNED, S.PARTIALLY_REFUNDED),
        (S.RETURNED, S.REFUNDED),
        (S.RETURNED, S.DISPUTED),
    }
)

PAPER_CHECK = "check"  # the kind of method of a payment that came by paper check (payments.lockbox)
IN_FLIGHT = (S.SUBMITTED, S.REQUIRES_ACTION, S.PROCESSING)
SETTLED = (S.SUCCEEDED, S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED, S.RETURNED)
