"""Help with costs, and about who sees what."""

from django.utils.translation import gettext_lazy as _

from support.help.articles import Article, Topic

COSTS = Topic(
    _("Help with costs"),
    (
        Article(
            "cannot-pay", _("I cannot pay. Is there help?"),
            (
                _(
                    "Yes. Financial assistance can take off all or a part of your medical bills, by the size "
                    "and the income of "
                    "your household. While an application is pending, its bills wait: no reminder is sent and "
                    "nothing is "
                    "charged by itself."
                ),
                _("You can also pay a part now, or ask for a payment plan without interest."),
            ),
            "support", _("Ask a question"),
        ),
        Article(
            "premium-help", _("I cannot pay my premium"),
            (
                _(
                    "Talk to us before it is past due. There is a grace period before coverage ends, and for "
                    "some members "
                    "charitable coverage pays all or a part of the premium."
                ),
            ),
            "premiums", _("See your premiums"),
        ),
    ),
)  # fmt: skip

PRIVACY = Topic(
    _("Your family and your privacy"),
    (
        Article(
            "who-sees", _("Who can see my bills?"),
            (
                _(
                    "The primary account holder sees the bills of everyone in the household, except of a member "
                    "who has asked "
                    "us to keep communications confidential. You see your own. What you write to Member "
                    "Services only you "
                    "read, and those whom you let act for you."
                ),
            ),
            "family", _("See your family"),
        ),
        Article(
            "confidential", _("How do I ask for confidential communications?"),
            (
                _(
                    "Ask us here or call Member Services. You need not say why. Your bills and claims are then "
                    "shown to you "
                    "alone, unless you share one."
                ),
            ),
            "support", _("Ask a question"),
        ),
        Article(
            "language", _("Help in my language, or for a disability"),
            (
                _(
                    "This portal speaks English and Spanish: choose at the foot of the page. Interpreters for "
                    "other languages "
                    "and aids for a disability cost you nothing. Call Member Services; TTY users dial the TTY number."
                ),
            ),
            "support", _("Ask a question"),
        ),
    ),
)  # fmt: skip
