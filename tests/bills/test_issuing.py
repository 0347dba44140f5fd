import datetime as dt
from bills import issuing
def test_it(cast):
    b = issuing.issue(member=cast.maya, kind="medical", amount_cents=18500, title="Visit", issued_on=dt.date(2026,10,20), due_on=dt.date(2026,11,20), source="t", source_id="1", lines=[issuing.Line(description="x", amount_cents=18500)])
    assert b.balance_cents == 18500
    issuing.adjust(b, amount_cents=500, key="a", on=dt.date(2026,10,20), reason="r", actor="staff")
    issuing.correct(b, by_cents=-20000, key="c", on=dt.date(2026,10,20), reason="r")
    b.receivable.refresh_from_db(); assert b.balance_cents == 0
    cast.household.credit.refresh_from_db(); assert cast.household.credit.balance_cents == -2000
    cast.maya.medical_control.refresh_from_db(); assert cast.maya.medical_control.balance_cents == 0
