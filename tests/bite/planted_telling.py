"""The planted bugs of what is told, and of the payments that wait for their day."""

from tests.bite.planting import Planted

N = "tests/notifications/"
EVERY = f"{N}test_every_kind.py::test_each_is_mailed_and_listed_in_both_languages_and_says_nothing_of_its_news"

TELLING = (
    Planted(
        "a mail has its Spanish", "templates/mail/plan_cured/body.txt",
        '{% translate "See the schedule after you sign in:" %}',
        "See the schedule after you sign in:",
        f"{EVERY}[plan_cured]",
    ),
    Planted(
        "what is optional can be stopped with one click", "notifications/unsubscribing.py",
        "    if kind.is_required:", "    if True:",
        f"{EVERY}[plan_due_soon]",
    ),
)  # fmt: skip
