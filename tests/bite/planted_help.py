"""The planted bugs of help with costs: applications, awards, charitable coverage."""

from tests.bite.planting import Planted

P = "tests/assistance/"

HELP = (
    Planted(
        "no hold for an application that is decided", "assistance/holding.py",
        "Application.objects.pending().select_for_update().filter(pk=application_id).first()",
        "Application.objects.pending().filter(pk=application_id).first()",
        f"{P}test_awards.py::test_no_bill_is_held_for_an_application_that_is_taken_back_meanwhile",
    ),
)  # fmt: skip
