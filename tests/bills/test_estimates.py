"""Good-faith estimates: taken whole, put to the bills of the person, and told to whom sees them."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import private_sides
from accounts.roles import Role
from bills import estimates, rechecking
from bills.checking import Flag
from bills.models import Estimate
from tests.bills.test_checking import DAY, checked, found, text
from tests.conftest import Cast
from tests.factories import make_bill
from tests.staff.conftest import make_staff, sign_in


def test_an_estimate_finds_its_bills_and_flags_four_hundred_dollars_above_it(cast: Cast, tmp_path: Path) -> None:
    """45 CFR 149.620: per provider, to be disputed within 120 days of the first bill."""
    file = tmp_path / "estimates.csv"
    file.write_text(
        "estimate_id,member_number,provider,service_date,issued_date,amount\n"
        "G1,M-ALICE,oakridge medical center,2026-10-10,2026-10-01,600.00\n"
    )
    bill = make_bill(cast.alice, amount_cents=99_999, issued_on=dt.date(2026, 10, 20))
    assert estimates.take_file(file) == 1
    assert (estimates.take_file(file), Estimate.objects.count()) == (0, 1)
    assert found(bill) == []
    more = make_bill(cast.alice, amount_cents=1, title="Supplies", issued_on=dt.date(2026, 10, 30))
    assert rechecking.run(dt.date(2026, 11, 28)).links == 1
    [finding] = checked(more).findings
    assert (finding.flag, finding.over_cents, finding.until) == (Flag.ABOVE_ESTIMATE, 40_000, dt.date(2027, 2, 17))
    assert "February 17, 2027" in text(cast.alice, f"/bills/{bill.number}/")
    make_bill(cast.alice, provider_name="Another clinic", amount_cents=500_000)
    assert rechecking.run(dt.date(2026, 11, 28)).links == 0


def test_a_persons_estimate_is_of_both_sides_and_tells_nobody_of_the_private_one(cast: Cast) -> None:
    """Flagged for the person, and for staff; the holder's sum is of what the holder sees."""
    side = private_sides.open_for([cast.bob.pk], actor="test")[cast.bob.pk]
    seen, private = make_bill(cast.bob, amount_cents=70_000), make_bill(side, amount_cents=50_000)
    estimate, _is_new = estimates.take(
        number="G1", member=cast.bob, provider="Oakridge Medical Center", service_on=DAY, issued_on=DAY,
        amount_cents=60_000, source="test", actor="test",
    )  # fmt: skip
    assert set(estimate.bills.all()) == {seen, private}
    assert [found(seen, cast.bob), found(private, cast.bob), found(seen)] == [[Flag.ABOVE_ESTIMATE]] * 3
    assert found(seen, cast.alice) == []
    staff = sign_in(Client(), make_staff(Role.BILLING))
    page = staff.get(f"/admin/bills/estimate/{estimate.pk}/change/").content.decode()
    assert seen.number in page and private.number not in page
    own, _is_new = estimates.take(
        number="G2", member=side, provider="Oakridge Medical Center", service_on=DAY, issued_on=DAY,
        amount_cents=1, source="test", actor="test",
    )  # fmt: skip
    assert not own.bills.filter(member=cast.bob).exists()  # of the private side alone: its own bills


@pytest.mark.parametrize(
    "row", ["G1,M-NOBODY,P,2026-10-10,2026-10-01,600.00", "G1,M-ALICE,P,10/10/2026,2026-10-01,600.00",
            "G1,M-ALICE,P,2026-10-10,2026-10-01,-1", "G1,M-ALICE,P,2026-10-10,2026-10-01,0.00", "G1,M-ALICE"],
)  # fmt: skip
def test_a_file_of_estimates_is_taken_whole_or_not_at_all(cast: Cast, tmp_path: Path, row: str) -> None:
    file = tmp_path / "estimates.csv"
    head = "estimate_id,member_number,provider,service_date,issued_date,amount\n"
    file.write_text(f"{head}G0,M-ALICE,P,2026-10-10,2026-10-01,600.00\n{row}\n")
    with pytest.raises(CommandError, match=r"refused whole. Line 3"):
        call_command("import_estimates", str(file))
    assert not Estimate.objects.exists()
