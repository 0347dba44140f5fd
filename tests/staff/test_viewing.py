"""Staff see the portal as a member sees it: for a reason, only to read, never their own family (FAULTS F20)."""

import time

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts import viewing
from accounts.models import Delegate
from accounts.roles import PERMISSIONS, Role
from activity.models import Access, Event
from notifications.models import Notification
from payments.models import Payment
from tests.staff.conftest import Records, make_staff, sign_in

REASON = "She asks what the amount on her screen means."
FORM = {"reason": REASON, "key": "0123456789abcdef"}


def address(records: Records, name: str = "alice") -> str:
    return f"/admin/accounts/member/{getattr(records.cast, name).pk}/view-as/"


def looking(records: Records, name: str = "alice", role: Role = Role.MEMBER_SERVICES) -> Client:
    """A browser of staff that sees the portal as a member."""
    client = sign_in(Client(), make_staff(role))
    assert client.post(address(records, name), FORM)["Location"] == "/overview/"
    return client


def test_staff_see_what_the_member_sees_under_a_banner(records: Records) -> None:
    page = looking(records).get(f"/bills/{records.bill.number}/")
    assert page.status_code == 200
    assert "You see the portal as <strong>Alice Rivera</strong>" in page.content.decode()


def test_what_the_member_does_not_see_is_not_shown(records: Records) -> None:
    """Bob sees his own and no more; nobody sees a stranger's."""
    assert looking(records, "bob").get(f"/bills/{records.bill.number}/").status_code == 404


def test_the_reason_and_every_page_are_written_down(records: Records) -> None:
    """FAULTS N01: for each whom the member sees, since their rows are shown too."""
    client = looking(records)
    began = Access.objects.filter(action="view as member", reason=REASON)
    seen = {records.cast.alice.pk, records.cast.bob.pk, records.cast.maya.pk}
    assert set(began.values_list("member_id", flat=True)) == seen
    client.get("/bills/")
    assert Access.objects.filter(
        action="view as member", subject="page:bills", member_id=records.cast.alice.pk
    ).exists()


@pytest.mark.parametrize("path", ["/notifications/read/", "/pay/", "/payment-methods/add/", "/bills/{bill}/share/"])
def test_nothing_is_sent_in_a_members_place(records: Records, path: str) -> None:
    client, events = looking(records), Event.objects.count()
    answer = client.post(path.format(bill=records.bill.number), {})
    assert answer.status_code == 403
    assert "Only to read" in answer.content.decode()
    assert Event.objects.count() == events
    assert not Notification.objects.filter(read_at__isnull=False).exists()


def test_what_a_page_writes_by_being_opened_is_undone(records: Records) -> None:
    """A notice that staff open stays unread."""
    notice = Notification.objects.get()
    looking(records).get(f"/notifications/{notice.pk}/")
    notice.refresh_from_db()
    assert notice.read_at is None
    member = sign_in(Client(), records.cast.alice.user)
    member.get(f"/notifications/{notice.pk}/")
    notice.refresh_from_db()
    assert notice.read_at is not None  # so the page does write it down


def test_without_a_reason_nothing_is_shown(records: Records) -> None:
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert client.post(address(records), FORM | {"reason": ""}).status_code == 422
    assert client.get("/overview/")["Location"] == "/enroll/"


def test_it_ends_after_a_quarter_of_an_hour(records: Records) -> None:
    client = looking(records)
    session = client.session
    session[viewing.KEY] = session[viewing.KEY] | {"until": time.time() - 1}
    session.save()
    assert client.get("/overview/")["Location"].startswith("/admin/accounts/member/")
    assert client.get("/overview/")["Location"] == "/enroll/"


def test_it_ends_when_it_is_stopped(records: Records) -> None:
    client = looking(records)
    assert client.post("/viewing/end/")["Location"] == f"/admin/accounts/member/{records.cast.alice.pk}/change/"
    assert client.get("/overview/")["Location"] == "/enroll/"


def test_it_ends_with_the_role(records: Records) -> None:
    client = looking(records)
    Group.objects.get(name=Role.MEMBER_SERVICES).permissions.clear()
    assert client.get("/overview/")["Location"].startswith("/admin/")


@pytest.mark.parametrize("how", ["member", "delegate", "of somebody whom the member acts for"])
def test_nobody_sees_the_portal_as_their_own_family(records: Records, how: str) -> None:
    user, cast = make_staff(Role.MEMBER_SERVICES), records.cast
    whom = "alice"
    if how == "member":
        cast.maya.user = user
        cast.maya.save()
    elif how == "delegate":
        Delegate.objects.create(member=cast.maya, user=user, grant="view")
    else:
        Delegate.objects.create(member=cast.bob, user=cast.charlie.user, grant="view")
        cast.maya.user = user
        cast.maya.save()
        whom = "charlie"
    client = sign_in(Client(), user)
    answer = client.post(address(records, whom), FORM, follow=True)
    assert "own household" in answer.content.decode()
    assert viewing.KEY not in client.session


def test_family_that_comes_later_ends_it(records: Records) -> None:
    user = make_staff(Role.MEMBER_SERVICES)
    client = sign_in(Client(), user)
    client.post(address(records), FORM)
    Delegate.objects.create(member=records.cast.maya, user=user, grant="view")
    assert client.get("/overview/")["Location"].startswith("/admin/")


def test_a_confidential_members_eyes_ask_for_the_reason_first(records: Records) -> None:
    """FAULTS F25: as every page of their record does."""
    bob = records.cast.bob
    bob.confidential_since = bob.user.date_joined
    bob.save()
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert "Confidential record" in client.get(address(records, "bob")).content.decode()
    assert viewing.KEY not in client.session
    client.post(address(records, "bob"), {"reason": REASON})
    assert Access.objects.filter(action="confidential", reason=REASON, member_id=bob.pk).exists()


def test_a_holders_eyes_see_nothing_of_a_confidential_member(records: Records) -> None:
    maya = records.cast.maya
    maya.confidential_since = records.cast.alice.user.date_joined
    maya.save()
    assert looking(records).get(f"/bills/{records.bill.number}/").status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if viewing.PERMISSION not in PERMISSIONS[role]])
def test_other_roles_do_not_see_as_members(records: Records, role: Role) -> None:
    client = sign_in(Client(), make_staff(role))
    assert client.post(address(records), FORM).status_code == 403
    assert viewing.KEY not in client.session


def test_a_member_without_a_sign_in_has_no_eyes_to_see_with(records: Records) -> None:
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert "view-as" not in client.get(f"/admin/accounts/member/{records.cast.maya.pk}/change/").content.decode()


def test_a_page_that_would_ask_the_provider_is_not_shown(records: Records) -> None:
    """The return from the bank's page asks the provider how the payment ended: nothing that could be undone."""
    Payment.objects.filter(pk=records.payment.pk).update(status="submitted", submitted_at=timezone.now())
    Payment.objects.filter(pk=records.payment.pk).update(status="requires_action")
    answer = looking(records).get(f"/payments/{records.payment.number}/return/")
    assert answer.status_code == 403
    assert "Only to read" in answer.content.decode()
