"""How many payments one person may try: a person corrects a card a few times, a tester of stolen cards tries hundreds.

FAULTS G08, G14. The limits hold under parallel calls: the first by an atomic count, the second by the database.
"""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rate_limits import HOUR, Limit, take
from payments.checkout import CheckoutError
from payments.models import Payment
from payments.states import PaymentStatus

DRAFTS_PER_USER = Limit("payment-draft:user", 60, HOUR)
CONFIRMS_PER_USER = Limit("payment-confirm:user", 30, HOUR)
SETUPS_PER_USER = Limit("method-setup:user", 10, HOUR)
MAX_FAILED_AN_HOUR = 10


class TooManyTries(CheckoutError):
    """This person has tried too often; nothing was sent."""


def before_begin(user: User) -> None:
    """Count one more draft. Raises TooManyTries."""
    if not take((DRAFTS_PER_USER, str(user.pk))):
        raise TooManyTries(_too_many())


def before_confirm(user: User) -> None:
    """Count one more charge, and refuse it after too many failed ones. Raises TooManyTries."""
    since = timezone.now() - dt.timedelta(hours=1)
    failed = Payment.objects.filter(payer=user, status=PaymentStatus.FAILED, submitted_at__gte=since).count()
    if failed >= MAX_FAILED_AN_HOUR or not take((CONFIRMS_PER_USER, str(user.pk))):
        raise TooManyTries(_too_many())


def before_adding(user: User) -> None:
    """Count one more method that is to be saved: a saving checks a card as a charge does. Raises TooManyTries."""
    if not take((SETUPS_PER_USER, str(user.pk))):
        raise TooManyTries(_("There were many tries to add a method in a short time. Wait an hour and try again."))


def _too_many() -> str:
    return _("There were many tries to pay in a short time. Wait an hour and try again, or call us to pay by phone.")
