"""Help about bills and claims."""

from django.utils.translation import gettext_lazy as _

from support.help.articles import Article, Topic

TOPIC = Topic(
    _("Bills and claims"),
    (
        Article(
            "why-a-bill", _("Why did I get a bill?"),
            (
                _(
                    "Your plan pays its part of what a doctor, hospital or laboratory charges. What is left is "
                    "your share: a "
                    "deductible, a copayment, coinsurance, or something that your plan does not cover. Each "
                    "bill shows how its "
                    "amount came about under “Why this amount”."
                ),
                _(
                    "A claim, also called an explanation of benefits, is not a bill. It says what was charged, "
                    "what your plan "
                    "allowed and paid, and what you owe. The bill follows it."
                ),
            ),
            "claims", _("See your claims"),
        ),
        Article(
            "bill-words", _("What do the words on a bill mean?"),
            (
                _("Deductible: what you pay yourself each year before your plan begins to pay."),
                _("Copayment: a fixed amount for one kind of service, for example $30 for an office visit."),
                _("Coinsurance: your percentage of the cost, once the deductible is met."),
                _("Allowed amount: the most your plan accepts. A provider of your network may not ask for more."),
                _(
                    "Out-of-pocket maximum: once you have paid so much in a year, your plan pays all of what it "
                    "covers until "
                    "the year ends."
                ),
                _("Not covered: what your plan does not pay for at all. You may ask why, and appeal."),
            ),
            "claims_year", _("See your deductible and maximum through the year"),
        ),
        Article(
            "wrong-bill", _("My bill looks wrong. What can I do?"),
            (
                _(
                    "We compare each medical bill with its claim and tell you on the bill what we find: more "
                    "than the claim "
                    "says you owe, billed twice, beyond your yearly maximum, or not your share at all."
                ),
                _(
                    "Choose “Ask us to check this bill”. While we look, nothing is due on it: no reminder is "
                    "sent and nothing "
                    "is charged by itself. We answer here, and tell you by email that there is an answer."
                ),
                _(
                    "If the bill is corrected and you had paid too much, the rest is yours: put it to another "
                    "bill or ask for "
                    "it back."
                ),
            ),
            "support", _("Ask a question"),
        ),
        Article(
            "missing-bill", _("I did not get a bill I expected. What now?"),
            (
                _(
                    "Providers usually send a claim within 30 days, and your plan works it out after that. "
                    "Until then there is "
                    "nothing to pay. If it takes longer, ask us: tell us who treated whom, and when."
                ),
            ),
            "ask", _("Ask a question"),
        ),
        Article(
            "estimate", _("My bill is far above the estimate I was given"),
            (
                _(
                    "If you have no insurance, or do not use it for a service, the provider must give you a good-faith "
                    "estimate. You may dispute a bill that is $400 or more above the estimate of its provider, "
                    "within 120 "
                    "days of the first bill. Until it is decided nothing is collected."
                ),
            ),
            "bills", _("See your bills"),
        ),
    ),
)  # fmt: skip
