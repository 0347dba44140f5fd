"""Notices of bills and due dates: made by bill_notices.py, set by set."""

from django.utils.translation import gettext_lazy as _

from notifications.kinds.kind import Bill, Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="new_bill", label=_("A new bill is ready"), topic=Topic.BILLS, is_required=True,
        may_state_amount=True, bill=Bill.OWED,
    ),
    Kind(
        name="due_in_7_days", label=_("A bill is due in 7 days"), topic=Topic.BILLS, folder="due_soon", days=7,
        may_state_amount=True, bill=Bill.DUE,
    ),
    Kind(
        name="due_in_3_days", label=_("A bill is due in 3 days"), topic=Topic.BILLS, folder="due_soon", days=3,
        may_state_amount=True, bill=Bill.DUE,
    ),
    Kind(
        name="due_tomorrow", label=_("A bill is due tomorrow"), topic=Topic.BILLS, folder="due_soon", days=1,
        may_state_amount=True, bill=Bill.DUE,
    ),
    Kind(
        name="due_today", label=_("A bill is due today"), topic=Topic.BILLS, days=0, may_state_amount=True,
        bill=Bill.DUE,
    ),
    Kind(
        name="past_due_1_day", label=_("A bill is 1 day past due"), topic=Topic.BILLS, folder="past_due", days=-1,
        may_state_amount=True, bill=Bill.PAST_DUE,
    ),
    Kind(
        name="past_due_7_days", label=_("A bill is 7 days past due"), topic=Topic.BILLS, folder="past_due",
        days=-7, may_state_amount=True, bill=Bill.PAST_DUE,
    ),
    Kind(
        name="past_due_30_days", label=_("A bill is 30 days past due"), topic=Topic.BILLS, folder="past_due",
        days=-30, may_state_amount=True, bill=Bill.PAST_DUE, is_required=True,
    ),
)  # fmt: skip
