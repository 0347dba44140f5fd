"""What happened opens to staff as the record that it tells of does (FAULTS F20, F25, N01), and so do raw records."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Delegate, Household, Member
from accounts.roles import Role
from activity.models import Access, Event, WorkItem
from activity.recording import record
from assistance.models import Application
from bills import review
from bills.models import Claim, ImportReject
from notifications import whose
from notifications.whose import FAMILIES, NOBODYS
from tests.accounts.private import private_side_of
from tests.staff.conftest import Records, make_staff, sign_in
from tests.staff.test_pages import address

REASON = "She called about this bill of hers."
CLOSED = "Confidential record"
WORDS = "What the family need not know."


def happened(subject: str, *, owner_id: int = 0, **data: object) -> Event:
    """Something that happened, with a reason."""
    return record("t.done", subject=subject, actor="user:1", owner_id=owner_id, reason=WORDS, cents=4711, **data)


def page_of(client: Client, event: Event) -> str:
    """The page of an event."""
    return client.get(address(Event, "change", event.pk), follow=True).content.decode()


@pytest.fixture
def maya(records: Records) -> Member:
    """Maya, who asked that her family be told nothing."""
    maya = records.cast.maya
    Member.objects.filter(pk=maya.pk).update(confidential_since=timezone.now())
    maya.refresh_from_db()
    return maya


def test_what_happened_to_a_confidential_members_records_opens_for_a_reason(records: Records, maya: Member) -> None:
    client, household = sign_in(Client(), make_staff(Role.ADMINISTRATOR)), records.cast.household
    claim = Claim.objects.get()
    own = [
        happened(f"bill:{records.bill.number}", owner_id=household.pk),
        happened(f"payment:{records.payment.number}", owner_id=household.pk),
        happened(f"member:{maya.pk}"),
        happened("method:0", member_id=maya.pk),
        happened("autopay:0", bill_id=records.bill.pk),
        happened("of a family that nobody knows", owner_id=household.pk),
        happened(f"work:{WorkItem.objects.create(kind='dispute', subject=f'member:{maya.number}', dedupe_key='1').pk}"),
    ]
    for event in own:
        assert CLOSED in page_of(client, event), event
        assert WORDS not in page_of(client, event), event
    listed = client.get(address(Event, "changelist"), {"owner_id": household.pk}).content.decode()
    assert f"bill:{records.bill.number}" in listed and WORDS not in listed and "4711" not in listed
    assert WORDS in page_of(client, happened(f"household:{household.pk}", owner_id=household.pk))
    assert WORDS in page_of(client, happened(f"bill:{records.premium.number}", owner_id=household.pk))
    reject = ImportReject.objects.filter(pk=records.reject.pk)
    reject.update(source=claim.source, source_id=claim.source_id)
    assert CLOSED in client.get(address(ImportReject, "change", records.reject.pk)).content.decode()
    assert client.post(address(Event, "change", own[0].pk), {"reason": REASON}).status_code == 302
    assert Access.objects.get(action="confidential").member_id == maya.pk
    assert WorkItem.objects.filter(kind="confidential_look").count() == 1
    for event in own:
        assert WORDS in page_of(client, event), event
    with CaptureQueriesContext(connection) as asked:
        page_of(client, own[0])
    of_the_bill = [query for query in asked if '"bills_bill"."number" = ' in query["sql"]]
    assert len(of_the_bill) == 2, "whose it is, its household and its member, is worked out once a page"
    client.get(address(ImportReject, "change", records.reject.pk))
    looked = Access.objects.filter(action="view", member_id=maya.pk).values_list("subject", flat=True)
    assert any(each.startswith("importreject:") for each in looked)
    assert f"event:t.done bill:{records.bill.number}" in looked


@pytest.mark.parametrize("how", ["parent", "delegate"])
def test_of_ones_own_household_nothing_that_happened_is_read_and_no_work_is_found(
    records: Records, maya: Member, how: str
) -> None:
    cast, user = records.cast, make_staff(Role.ADMINISTRATOR)
    if how == "parent":
        Member.objects.filter(pk=cast.alice.pk).update(user=user)
    else:
        Delegate.objects.create(member=cast.bob, user=user, grant="view")
    client = sign_in(Client(), user)
    item = WorkItem.objects.create(kind="dispute", subject=f"payment:{records.payment.number}", dedupe_key="1")
    own = [
        happened(f"bill:{records.bill.number}", owner_id=cast.household.pk), happened(f"member:{maya.pk}"),
        happened(f"work:{item.pk}"), happened("of a family that nobody knows", owner_id=cast.household.pk),
    ]  # fmt: skip
    others = happened(f"member:{cast.charlie.pk}", owner_id=cast.strangers.pk)
    Access.objects.create(user=cast.dana, member_id=maya.pk, subject="bill:own", action="view")
    listed = client.get(address(Event, "changelist")).content.decode()
    assert others.subject in listed
    for event in own:
        assert address(Event, "change", event.pk) not in listed
        answer = client.get(address(Event, "change", event.pk))
        assert answer.status_code == 403 or answer["Location"] == reverse("admin:index")
    assert item.subject not in client.get(address(WorkItem, "changelist")).content.decode()
    for action, form in (("take", {}), ("finish", {"reason": REASON}), ("give-back", {})):
        assert client.post(f"/admin/activity/workitem/{item.pk}/{action}/", form).status_code == 404
    assert (
        "bill:own"
        not in client.get(address(type(Access.objects.get(subject="bill:own")), "changelist")).content.decode()
    )
    assert not WorkItem.objects.filter(pk=item.pk).exclude(owner=None, done_at=None).exists()


def test_nobody_is_handed_the_work_of_their_own_household(records: Records) -> None:
    cousin = make_staff(Role.BILLING)
    Delegate.objects.create(member=records.cast.maya, user=cousin, grant="pay")
    item = WorkItem.objects.create(kind="dispute", subject=f"payment:{records.payment.number}", dedupe_key="1")
    client = sign_in(Client(), make_staff(Role.ADMINISTRATOR))
    form = {"to": cousin.email, "reason": REASON}
    answer = client.post(f"/admin/activity/workitem/{item.pk}/hand-over/", form, follow=True)
    assert "their own household" in answer.content.decode()
    item.refresh_from_db()
    assert item.owner is None


def test_what_happened_to_an_application_is_for_who_reads_applications(staff, records: Records) -> None:
    """A denial gives its reasons; Billing sees no applications."""
    application = Application.objects.get()
    item = WorkItem.objects.create(kind="assistance", subject=f"application:{application.number}", dedupe_key="1")
    event = happened(f"application:{application.number}", owner_id=application.household_id)
    told = [event, happened(f"award:{application.awards.get().pk}"), happened(f"work:{item.pk}")]
    billing, auditor = staff(Role.BILLING), staff(Role.AUDITOR)
    for each in told:
        assert WORDS not in page_of(billing, each)
        assert WORDS in page_of(auditor, each)
    assert event.subject not in billing.get(address(Event, "changelist")).content.decode()
    assert event.subject in auditor.get(address(Event, "changelist")).content.decode()


def test_whom_a_raw_record_names_is_found_however_it_names_them(records: Records) -> None:
    cast = records.cast
    for member, key in ((cast.alice, "Patient/a"), (cast.bob, "Patient/b"), (cast.maya, "Patient/m")):
        Member.objects.filter(pk=member.pk).update(source="t", source_id=key)
    side = private_side_of(cast.maya)
    reject = records.reject
    for said, expected in (
        ({"patient": {"reference": "Patient/a"}}, {cast.alice}),
        ({"item": [{"subject": {"reference": "https://ehr.example/fhir/Patient/b/_history/2"}}]}, {cast.bob}),
        ({"patient": {"reference": "urn:uuid:m"}}, {cast.maya, side}),
        ({"member_number": cast.alice.number}, {cast.alice}),
        ({"patient": {"reference": "Patient/nobody"}, "text": "Patient/a"}, set()),
    ):
        reject.record = {"resource": said}
        assert set(review.members_named(reject)) == expected
    reject.record, reject.source_id = {"needs": "Patient/b"}, "Patient/a"
    assert set(review.members_named(reject)) == {cast.alice, cast.bob}
    assert whose.of(f"reject:{reject.pk}").members == ()  # as it stands in the database


def test_every_family_is_read_and_is_among_its_households_subjects(records: Records) -> None:
    """A lookup that is wrong fails here; one that finds nothing falls back on everybody of the household."""
    for name, family in FAMILIES.items():
        row = family.model._default_manager.order_by("pk").first()
        found = whose.of(f"{name}:{getattr(row, family.key) if row else 0}")
        subjects = whose.subjects_of(list(found.household_ids))
        assert not found.household_ids or f"{name}:{getattr(row, family.key)}" in subjects, name


def test_families_are_named_once_and_an_unknown_one_is_everybodys(records: Records) -> None:
    assert not NOBODYS & set(FAMILIES)
    household: Household = records.cast.household
    assert set(whose.of("new:1", owner_id=household.pk).members) == set(household.members.all())
    assert whose.of("import:1", owner_id=household.pk).members == ()
