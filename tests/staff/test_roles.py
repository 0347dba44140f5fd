"""Who may act: each action in each role, never on one's own household, never long after the sign-in."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import roles, staff_access
from accounts.models import Household, Member, User
from accounts.roles import PERMISSIONS, Role
from accounts.staff import Refused
from activity.models import Event, WorkItem
from bills.models import Bill, ChargeRule, Hold, ImportReject
from ledger.models import Transfer
from payments.models import Check, Finding, Refund
from support.models import Inquiry
from tests.factories import make_charge
from tests.staff.conftest import Records, make_staff, sign_in
from tests.support.questions import make_inquiry

DOERS = {
    "adjust": "bills.change_bill", "write-off": "bills.change_bill", "void": "bills.change_bill",
    "approve": "payments.change_refund", "decline": "payments.change_refund", "waive-fee": "bills.change_bill",
    "refund": "payments.add_refund", "settle": "bills.change_importreject", "upload": "bills.add_importbatch",
    "assign": "payments.change_finding", "match": "payments.change_check", "return": "payments.change_check",
    "record": "payments.add_check", "lockbox": "payments.add_lockboxfile",
    "hand-over": "activity.change_workitem", "give-back": "activity.change_workitem",
    "answer": "support.change_inquiry", "give": "support.change_inquiry", "hold-bill": "support.change_inquiry",
    "release-bill": "support.change_inquiry", "close": "support.change_inquiry", "estimate": "bills.add_estimate",
    "take": "activity.change_workitem", "finish": "activity.change_workitem", "roles": "accounts.change_user",
    "view-as": "activity.add_access", "hold": "bills.add_hold", "end": "bills.change_hold",
    "leaves": "accounts.add_departure", "died": "accounts.add_departure",
    "holder": "accounts.add_departure", "reopen": "accounts.add_departure",
    "waive-charge": "bills.change_bill", "terms": "bills.add_chargerule",
    "code-letter": "accounts.add_enrolmentcode", "code-told": "accounts.add_enrolmentcode",
}  # fmt: skip
KEY = "0123456789abcdef"
REASON = "The clinic asked us to."


def target(action: str, records: Records) -> str:
    """The address of an action's page."""
    item = WorkItem.objects.get_or_create(kind="dispute", subject="payment:x", dedupe_key="w1")[0]
    refund = Refund.objects.filter(payment=records.payment).first()
    if action in ("answer", "give", "hold-bill", "release-bill", "close"):
        inquiry = Inquiry.objects.first() or make_inquiry(records.cast.charlie, by=records.cast.charlie.user)
        return f"/admin/support/inquiry/{inquiry.pk}/{action}/"
    if action == "waive-charge":
        return f"/admin/bills/financecharge/{make_charge(records.bill).pk}/waive-charge/"
    return {
        "terms": f"/admin/bills/chargerule/{ChargeRule.objects.order_by('pk')[0].pk}/terms/",
        "approve": f"/admin/payments/refund/{refund.pk if refund else 0}/approve/",
        "decline": f"/admin/payments/refund/{refund.pk if refund else 0}/decline/",
        "waive-fee": f"/admin/payments/payment/{records.payment.pk}/waive-fee/",
        "refund": f"/admin/payments/payment/{records.payment.pk}/refund/",
        "settle": f"/admin/bills/importreject/{records.reject.pk}/settle/",
        "upload": "/admin/bills/importbatch/upload/",
        "assign": f"/admin/payments/finding/{Finding.objects.get().pk}/assign/",
        "match": f"/admin/payments/check/{Check.objects.get().pk}/match/",
        "return": f"/admin/payments/check/{Check.objects.get().pk}/return/",
        "estimate": "/admin/bills/estimate/record/",
        "record": "/admin/payments/check/record/",
        "lockbox": "/admin/payments/lockboxfile/upload/",
        "hand-over": f"/admin/activity/workitem/{item.pk}/hand-over/",
        "give-back": f"/admin/activity/workitem/{item.pk}/give-back/",
        "take": f"/admin/activity/workitem/{item.pk}/take/",
        "finish": f"/admin/activity/workitem/{item.pk}/finish/",
        "end": f"/admin/bills/hold/{records.hold.pk}/end/",
        "code-letter": f"/admin/accounts/member/{records.cast.bob.pk}/code-letter/",
        "code-told": f"/admin/accounts/member/{records.cast.bob.pk}/code-told/",
        "view-as": f"/admin/accounts/member/{records.cast.alice.pk}/view-as/",
        "leaves": f"/admin/accounts/member/{records.cast.bob.pk}/leaves/",
        "died": f"/admin/accounts/member/{records.cast.bob.pk}/died/",
        "holder": f"/admin/accounts/member/{records.cast.alice.pk}/holder/",
        "reopen": f"/admin/accounts/household/{records.cast.household.pk}/reopen/",
        "roles": f"/admin/accounts/user/{records.cast.charlie.user.pk}/roles/",
    }.get(action, f"/admin/bills/bill/{records.bill.pk}/{action}/")


def state(records: Records) -> tuple[object, ...]:
    """Everything that an action could change."""
    return (
        set(Transfer.objects.values_list("pk", flat=True)), set(Refund.objects.values_list("pk", flat=True)),
        set(Bill.objects.values_list("pk", "voided_at")), set(ImportReject.objects.values_list("pk", "resolved_at")),
        set(Hold.objects.values_list("pk", "ended_at")), set(
            Member.objects.values_list("pk", "left_on", "died_on", "is_primary_holder")
        ),
        set(WorkItem.objects.values_list("pk", "owner", "done_at")), set(User.objects.values_list("pk", "is_staff")),
        set(Group.user_set.through.objects.values_list("pk", flat=True)),
        set(Household.objects.values_list("pk", "closed_on")),
    )  # fmt: skip


def test_every_role_has_exactly_its_permissions(db):
    roles.install()
    roles.install()
    for role, names in PERMISSIONS.items():
        group = Group.objects.get(name=role)
        assert {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()} == names


def test_a_permission_that_was_given_by_hand_does_not_stay(db):
    roles.install()
    everything = roles.Permission.objects.all()
    Group.objects.get(name=Role.AUDITOR).permissions.set(everything)
    roles.install()
    assert Group.objects.get(name=Role.AUDITOR).permissions.count() == len(PERMISSIONS[Role.AUDITOR])


def test_an_auditor_has_no_permission_but_to_see(db):
    assert all(name.split(".")[1].startswith("view_") for name in PERMISSIONS[Role.AUDITOR])


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", sorted(DOERS))
def test_an_action_is_refused_to_roles_that_it_is_not_of(staff, records, role, action):
    """FAULTS F21: forged posts to hidden actions are refused."""
    address = target(action, records)
    client = staff(role)
    before = state(records)
    posted = client.post(
        address, {"amount": "1.00", "reason": REASON, "key": KEY, "roles": ["Billing"], "cause": "review"}
    )
    if DOERS[action] in PERMISSIONS[role]:
        assert posted.status_code != 403
    else:
        assert posted.status_code == 403
        assert client.get(address).status_code == 403
        assert state(records) == before


def test_an_action_is_not_offered_to_who_may_not_take_it(staff, records):
    page = staff(Role.AUDITOR).get(f"/admin/bills/bill/{records.bill.pk}/change/").content.decode()
    assert "/adjust/" not in page
    assert "/void/" not in page


@pytest.mark.parametrize("action", ["adjust", "write-off", "void", "refund"])
@pytest.mark.parametrize("how", ["member", "delegate"])
def test_nobody_acts_on_their_own_household(records, action, how):
    """FAULTS F20's neighbour: not as a member, and not as a member's delegate."""
    user = make_staff(Role.ADMINISTRATOR)
    if how == "member":
        records.cast.bob.user = user
        records.cast.bob.save()
    else:
        records.cast.maya.delegates.create(user=user, grant="full")
    client = sign_in(Client(), user)
    before = state(records)
    answer = client.post(target(action, records), {"amount": "1.00", "reason": REASON, "key": KEY}, follow=True)
    assert "your own household" in answer.content.decode()
    assert state(records)[:3] == before[:3]


@pytest.mark.parametrize("action", ["adjust", "void", "refund", "roles"])
def test_an_action_asks_again_who_it_is_after_five_minutes(records, action):
    """FAULTS H16: step-up before anything that moves money or gives rights."""
    client = sign_in(Client(), make_staff(Role.ADMINISTRATOR), minutes_ago=6)
    before = state(records)
    address = target(action, records)
    answer = client.post(address, {"amount": "1.00", "reason": REASON, "key": KEY, "roles": ["Billing"]})
    assert answer.status_code == 302
    assert "reauthenticate" in answer.headers["Location"]
    assert state(records)[:3] == before[:3]


def test_an_administrator_gives_a_role_and_the_persons_sessions_end(staff, records):
    """FAULTS H13: old sessions are refused at the next request."""
    charlie = records.cast.charlie.user
    theirs = sign_in(Client(), charlie)
    assert theirs.get("/admin/").status_code == 404
    form = {"roles": [Role.AUDITOR.value], "reason": REASON, "key": KEY}
    assert staff(Role.ADMINISTRATOR).post(target("roles", records), form).status_code == 302
    charlie.refresh_from_db()
    assert charlie.is_staff
    assert [group.name for group in charlie.groups.all()] == [Role.AUDITOR]
    assert theirs.get("/admin/").status_code == 302
    event = Event.objects.get(kind="user.roles_changed")
    assert (event.reason, event.data) == (REASON, {"before": [], "after": ["Auditor"]})


def test_who_has_no_role_left_is_no_longer_of_staff(db):
    admin, other = make_staff(Role.ADMINISTRATOR), make_staff(Role.BILLING)
    staff_access.give(other, roles=[], by=admin, reason=REASON)
    other.refresh_from_db()
    assert not other.is_staff


def test_nobody_changes_their_own_roles_or_a_superusers(cast):
    admin = make_staff(Role.ADMINISTRATOR)
    for user in (admin, cast.dana):
        with pytest.raises(Refused):
            staff_access.give(user, roles=[Role.BILLING], by=admin, reason=REASON)
