"""Who looked: a member's report of it, and a second person who reads why a confidential record was opened."""

from urllib.parse import parse_qsl, urlencode

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts import access_report
from accounts.models import Member
from accounts.roles import PERMISSIONS, Role
from activity import work
from activity.models import Access, WorkItem
from activity.recording import looked
from tests.staff.conftest import Records, make_staff, sign_in

REASON = "She asked us to explain her bill."


def report_of(records: Records, name: str) -> str:
    return f"/admin/accounts/member/{getattr(records.cast, name).pk}/looks/"


def confidential(records: Records) -> Member:
    bob = records.cast.bob
    Member.objects.filter(pk=bob.pk).update(confidential_since=timezone.now())
    bob.refresh_from_db()
    return bob


def test_every_look_at_ones_own_record_stands_in_the_report_and_nobody_elses(staff, records: Records) -> None:
    """FAULTS N13: right and complete; another's looks stand in the other's report."""
    cast = records.cast
    services = make_staff(Role.MEMBER_SERVICES)
    looked(user_id=services.pk, subject=f"bill:{records.bill.number}", action="view", member_id=cast.maya.pk)
    looked(user_id=services.pk, subject="household:4410-2297", action="view", member_id=cast.alice.pk, reason=REASON)
    looked(user_id=cast.charlie.user.pk, subject="page:bills", action="viewed", member_id=cast.alice.pk)
    page = staff(Role.AUDITOR).get(report_of(records, "alice")).content.decode()
    for text in ("Staff: Member Services", REASON.replace("'", "&#x27;"), "charlie@example.com", "Household 4410-2297"):
        assert text in page
    assert records.bill.number not in page
    assert services.email not in page  # staff by role, never by name


LISTS = (
    ("bills/bill", "q=M-MAYA", "maya"),
    ("bills/claim", "q=m-bob", "bob"),  # of whom there is none: that is told too
    ("bills/bill", "member__id__exact={maya}", "maya"),
    ("bills/bill", "household__id__exact={household}", "alice bob maya"),
    ("accounts/member", "q=4410-2297", "alice bob maya"),
    ("accounts/member", "q=Rivera", "alice bob maya"),
    ("bills/bill", "q={bill}", "maya"),
    ("payments/payment", "allocations__bill__id__exact={bill_id}", "maya"),
    ("payments/paymentmethod", "q=alice@example.com", "alice"),
    ("accounts/user", "q=ALICE@example.com", "alice"),
    ("activity/event", "owner_id={household}", "alice bob maya"),
    ("activity/event", "subject=bill:{bill}", "maya"),
    ("activity/access", "q=bill:{bill}", "maya"),
    ("activity/access", "member_id={maya}", "maya"),
    ("activity/workitem", "q=member:M-BOB", "bob"),
    ("bills/bill", "", ""),
    ("bills/bill", "kind=medical", ""),
)


def test_who_is_searched_for_or_listed_finds_it_in_the_report(staff, records: Records) -> None:
    """FAULTS N13: a list that names one member, their household or one of their records is a look at theirs."""
    cast, client, seen = records.cast, staff(Role.ADMINISTRATOR), 0
    facts = {"maya": cast.maya.pk, "household": cast.household.pk, "bill": records.bill.number}
    for path, query, names in LISTS:
        asked = query.format(**facts, bill_id=records.bill.pk)
        assert client.get(f"/admin/{path}/?{asked}").status_code == 200
        looks, is_search = Access.objects.filter(pk__gt=seen), query.startswith("q=")
        said = {(look.action, look.reason) for look in looks}
        assert said == {("search" if is_search else "list", urlencode(parse_qsl(asked)))}
        whose = [getattr(cast, name) for name in names.split()]
        assert {look.member_id for look in looks} == ({member.pk for member in whose} or {None}), asked
        seen = looks.latest("pk").pk
        for member in whose:
            told = access_report.of(member).looks[0]
            assert (told.did, told.reason) == ("Searched for" if is_search else "Listed", "")
            assert told.what == f"A list of {path.split('/')[1]} records"


def test_the_report_says_what_it_does_not_hold(staff, records: Records) -> None:
    page = staff(Role.AUDITOR).get(report_of(records, "alice")).content.decode()
    assert "What this report does not hold" in page
    for text in access_report.LEFT_OUT:
        assert escape(text) in page


def test_the_report_itself_is_a_look(staff, records: Records) -> None:
    staff(Role.AUDITOR).get(report_of(records, "alice"))
    assert Access.objects.filter(action="access-report", member_id=records.cast.alice.pk).exists()


def test_a_long_report_says_that_it_is_cut(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_report, "MOST", 2)
    for number in range(3):
        looked(user_id=records.cast.dana.pk, subject=f"bill:{number}", action="view", member_id=records.cast.alice.pk)
    found = access_report.of(records.cast.alice)
    assert found.is_cut
    assert [look.what for look in found.looks] == ["Bill 2", "Bill 1"]


@pytest.mark.parametrize("role", [role for role in Role if "activity.view_access" not in PERMISSIONS[role]])
def test_other_roles_do_not_open_the_report(staff, records: Records, role: Role) -> None:
    assert staff(role).get(report_of(records, "alice")).status_code == 403


def test_a_confidential_members_report_opens_for_a_reason(staff, records: Records) -> None:
    confidential(records)
    assert "Confidential record" in staff(Role.AUDITOR).get(report_of(records, "bob")).content.decode()


def test_an_opened_confidential_record_is_work_for_a_second_person(records: Records) -> None:
    """FAULTS F25: break-glass with a reason, audited and reported; once a person, member and day."""
    bob, opener = confidential(records), make_staff(Role.MEMBER_SERVICES)
    client = sign_in(Client(), opener)
    address = f"/admin/accounts/member/{bob.pk}/change/"
    assert "Confidential record" in client.get(address).content.decode()
    assert client.post(address, {"reason": REASON}).status_code == 302
    client.session.flush()
    sign_in(Client(), opener).post(address, {"reason": REASON})
    item = WorkItem.objects.get(kind="confidential_look")
    assert item.subject == f"member:{bob.number}"
    with pytest.raises(work.NotByYou):
        work.finish(item, by_id=opener.pk, reason=REASON)
    work.finish(item, by_id=records.cast.dana.pk, reason=REASON)


def test_confidential_looks_are_listed_alone(staff, records: Records) -> None:
    looked(user_id=records.cast.dana.pk, subject="member:M-BOB", action="confidential", member_id=1, reason=REASON)
    looked(user_id=records.cast.dana.pk, subject="member:M-ALICE", action="view", member_id=2)
    page = staff(Role.AUDITOR).get("/admin/activity/access/?kind=confidential").content.decode()
    assert "M-BOB" in page
    assert "M-ALICE" not in page
