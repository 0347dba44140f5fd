"""Help about paying."""

from django.utils.translation import gettext_lazy as _

from support.help.articles import Article, Topic

TOPIC = Topic(
    _("Paying"),
    (
        Article(
            "ways-to-pay", _("How can I pay?"),
            (
                _(
                    "By credit or debit card, bank account, HSA or FSA card, or Apple Pay. Medical bills can be "
                    "paid in parts, "
                    "as often as you like. Premiums are paid whole. Paying here costs nothing extra."
                ),
                _(
                    "Your card number goes straight to our payment provider, Stripe. This portal never sees or "
                    "keeps it."
                ),
            ),
            "bills", _("See your bills"),
        ),
        Article(
            "when-it-counts", _("When does my payment count?"),
            (
                _(
                    "Card payments of medical bills are expected to post the next business day, premiums within "
                    "two to three "
                    "business days. Until then you see them as on their way, and nobody asks you to pay again."
                ),
                _(
                    "If a payment does not go through, nothing was taken. The page says why and what you can "
                    "try next: the "
                    "same card again, or another one."
                ),
            ),
            "payments", _("See your payments"),
        ),
        Article(
            "autopay", _("What is autopay, and how do I stop it?"),
            (
                _(
                    "With autopay we charge the card or bank account that you chose when a bill is due. We tell "
                    "you the "
                    "amount before. A bill that you dispute, or whose claim is not decided, is never charged by itself."
                ),
                _("You can stop autopay at any time, for one bill or for all."),
            ),
            "autopay", _("See autopay"),
        ),
        Article(
            "payment-plans", _("Can I pay over several months?"),
            (
                _(
                    "Yes. A payment plan splits medical bills into monthly parts, without interest and without "
                    "fees. You see "
                    "every date and amount before you agree, and may pay the rest early at any time."
                ),
            ),
            "plans", _("See payment plans"),
        ),
        Article(
            "somebody-else", _("Can somebody else pay my bill?"),
            (
                _(
                    "Yes, all or a part. Open the bill and choose “Let somebody else pay” for a link to send, "
                    "or show them the "
                    "code that is printed on it. They need no account and see nothing about your health."
                ),
            ),
            "guest_pay", _("Pay a bill for somebody"),
        ),
        Article(
            "overpaid", _("I paid too much. How do I get it back?"),
            (
                _(
                    "What was paid beyond what you owe is yours. Put it to another bill, or ask for it back to "
                    "the card or "
                    "bank account that paid it."
                ),
            ),
            "overpaid", _("See overpaid money"),
        ),
    ),
)  # fmt: skip
