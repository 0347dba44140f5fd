"""Standard answers: what staff say often, sent in the member's language, alone or before their own words."""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User

STANDARD: dict[str, tuple[str, str | Promise]] = {
    "looking": ("We need more time", _(
        "Thank you for writing to us. We need a few more days to look into this, and write to you again here. If your "
        "bill is on hold, it stays on hold until then."
    )),
    "missing": ("Missing bill: the claim is not here yet", _(
        "We have not received a claim for this visit yet. Providers usually send it within 30 days. You owe nothing "
        "until your plan has worked it out. Please write again if no bill has come after 60 days."
    )),
    "missing_found": ("Missing bill: found", _(
        "We found the bill that you asked about. You see it now under Bills."
    )),
    "correct": ("The bill is right", _(
        "We compared the bill with the claim, and the amount is right. The bill shows step by step how it came about. "
        "If you disagree with what your plan decided, you may appeal: the claim's page says how."
    )),
    "corrected": ("The bill was wrong and is corrected", _(
        "You were right. The bill is corrected. If you had paid more than you owe, the rest is yours: put it to "
        "another bill or ask for it back under Payments, Overpaid money."
    )),
    "paid": ("The payment is found", _(
        "We found your payment and put it to the bill. Thank you for showing it to us."
    )),
    "proof": ("We need proof of payment", _(
        "We cannot find this payment. Please answer here with the date, the amount and how you paid, or the receipt."
    )),
}  # fmt: skip


def text_of(key: str, *, reader: User) -> str:
    """A standard answer in the language of who reads it."""
    with translation.override(reader.language):
        return str(STANDARD[key][1])
