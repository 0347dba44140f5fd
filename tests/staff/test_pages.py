"""The staff's side: every record can be read, none can be written, and who looked is written down."""

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Household, Member, User
from accounts.roles import PERMISSIONS, Role
from activity.models import Access, Event, WorkItem
from bills.models import Bill
from ledger.models import Account, Transfer
from payments import monthly_statements
from payments.models import StripeEvent
from tests.factories import make_charge, make_grace
from tests.staff.conftest import Records, make_staff, sign_in

SHOWN = {
    "assistance.application", "assistance.award", "assistance.assistancepolicy", "assistance.povertyguideline",
    "assistance.charitablerule", "assistance.excludedservice",
    "accounts.household", "accounts.member", "accounts.delegate", "accounts.plan", "accounts.coverage", "accounts.user",
    "accounts.consentrule",
    "activity.event", "activity.access", "activity.workitem", "bills.bill", "bills.claim", "bills.accumulator",
    "bills.hold", "bills.chargerule", "bills.financecharge", "bills.graceperiod", "bills.gracerule", "bills.statement",
    "bills.estimate", "support.inquiry",
    "bills.importbatch", "bills.importreject", "ledger.account", "ledger.transfer", "notifications.notification",
    "notifications.suppression",
    "payments.autopaycharge", "payments.autopayproblem", "payments.importedautopay",
    "payments.balancetransaction", "payments.finding", "payments.reconciliationrun", "payments.check",
    "payments.lockboxfile", "payments.monthfigures", "payments.payment", "payments.refund", "payments.dispute",
    "payments.paymentmethod", "payments.stripeevent", "payments.paymentplan", "payments.planpolicy",
}  # fmt: skip
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
IDS = [model._meta.label_lower for model in MODELS]


def address(model: type, page: str, *args: object) -> str:
    """The address of an admin page of a model."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def dana(records: Records) -> Client:
    """A superuser's browser, before a full database."""
    WorkItem.objects.create(kind="dispute", subject=f"payment:{records.payment.number}", dedupe_key="w1")
    client = sign_in(Client(), records.cast.dana)
    Access.objects.create(user=records.cast.dana, subject="bill:x", action="view")
    records.cast.alice.delegates.create(user=records.cast.charlie.user, grant="view")
    make_grace(records.cast.alice)
    make_charge(records.bill)
    today = timezone.localdate()
    monthly_statements.issue(today.replace(day=1) - dt.timedelta(days=1), on=today)
    return client


def test_every_record_has_its_page_and_no_other_model_has(db):
    assert set(IDS) == SHOWN


def test_every_list_and_every_record_opens(dana):
    for model in MODELS:
        assert dana.get(address(model, "changelist")).status_code == 200, model
        obj = model.objects.order_by("-pk").first()
        assert obj is not None, model
        assert dana.get(address(model, "change", obj.pk)).status_code == 200, model
        assert dana.get(address(model, "changelist"), {"q": "4410-2297"}).status_code == 200, model


def test_nothing_is_added_edited_or_deleted_by_a_superuser_either(dana):
    """FAULTS F23: forged posts of forms, list edits, inlines and bulk actions are refused."""
    for model in MODELS:
        refuses_every_edit(dana, model)
    assert not LogEntry.objects.exists()


def refuses_every_edit(dana, model):
    """Of one kind of record."""
    obj = model.objects.order_by("-pk").first()
    before = list(model.objects.order_by("pk").values())
    everything = {field.name: "1" for field in model._meta.concrete_fields} | {"_save": "Save"}
    inline = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-description": "x", "lines-0-position": "9"}
    assert dana.get(address(model, "add")).status_code == 403
    assert dana.post(address(model, "add"), everything).status_code == 403
    assert dana.post(address(model, "change", obj.pk), everything | inline).status_code == 403
    assert dana.get(address(model, "delete", obj.pk)).status_code == 403
    assert dana.post(address(model, "delete", obj.pk), {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [str(obj.pk)], "post": "yes"}
    dana.post(address(model, "changelist"), bulk)
    edits = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(obj.pk), "_save": "Save"} | {
        f"form-0-{name}": value for name, value in everything.items()
    }
    dana.post(address(model, "changelist"), edits)
    after = list(model.objects.order_by("pk").values())
    assert [row for row in after if row in before] == before


def test_the_history_of_edits_is_closed_since_there_is_none(dana, records):
    assert dana.get(address(Bill, "history", records.bill.pk)).status_code == 403


def test_a_bills_page_leads_to_its_household_member_receivable_transfers_claims_and_payments(dana, records):
    page = dana.get(address(Bill, "change", records.bill.pk)).content.decode()
    for part in ("Bill issued", "$185.00", "Paper check", "−$35.00", "$150.00", "Allergy screening"):
        assert part in page
    assert address(Household, "change", records.cast.household.pk) in page
    assert address(Member, "change", records.cast.maya.pk) in page
    assert address(Account, "change", records.bill.receivable_id) in page
    for label in ("Claims", "Payments", "Transfers", "What happened"):
        target = re.search(rf'<a href="([^"]+)">{label}</a>', page)[1].replace("&amp;", "&")
        listed = dana.get(target)
        assert listed.status_code == 200
        assert listed.context["cl"].result_count >= 1, label


def test_a_households_page_says_what_each_member_owes(dana, records):
    page = dana.get(address(Household, "change", records.cast.household.pk)).content.decode()
    # Maya's $185.00 less the check's $35.00, and the charge of $5.00 for paying late
    for part in ("Alice Rivera", "Bob Rivera", "Maya Rivera", "$155.00", "$530.76", "Family Silver 70"):
        assert part in page
    for label in ("Bills", "Claims", "Payments", "Transfers", "What happened"):
        target = re.search(rf'<a href="([^"]+)">{label}</a>', page)[1].replace("&amp;", "&")
        assert dana.get(target).context["cl"].result_count >= 1, label


@pytest.mark.parametrize("term", ["{bill}", "{lower}", "4410-2297", "M-MAYA", " {bill} "])
def test_a_bill_is_found_by_its_own_its_households_and_its_members_number(dana, records, term):
    term = term.format(bill=records.bill.number, lower=records.bill.number.lower())
    found = dana.get(address(Bill, "changelist"), {"q": term}).context["cl"].queryset
    assert records.bill in found


@pytest.mark.parametrize("term", ["Outpatient", "Oakridge", "Allergy", "185", "%", "Alice"])
def test_a_bill_is_not_found_by_its_service_or_its_provider(dana, records, term):
    """FAULTS F26: a search tells nothing of health."""
    assert not dana.get(address(Bill, "changelist"), {"q": term}).context["cl"].queryset.exists()


def test_lists_name_no_service_and_no_provider(dana, records):
    """FAULTS F26."""
    for model in MODELS:
        page = dana.get(address(model, "changelist")).content.decode()
        for word in ("Outpatient", "Oakridge", "Allergy"):
            assert word not in page, model


def test_a_list_counts_no_further_than_its_cap(dana, django_assert_max_num_queries, records, monkeypatch):
    """Lists of millions cost what their first pages cost: no count of everything."""
    monkeypatch.setattr("activity.staff.MAX_LISTED", 2)
    with django_assert_max_num_queries(30) as queries:
        page = dana.get(address(Transfer, "changelist"))
    assert page.context["cl"].result_count == 2
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "ledger_transfer" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 2" in counts[0]


def test_every_look_at_a_members_record_is_written_down(records):
    """FAULTS N01: who, whose, what, when, from where."""
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    client.get(address(Bill, "change", records.bill.pk))
    look = Access.objects.get()
    assert look.user.email == "member_services@staff.example.com"
    assert (look.member_id, look.subject, look.action) == (records.cast.maya.pk, f"bill:{records.bill.number}", "view")
    assert look.address == "127.0.0.1"
    client.get(address(Household, "change", records.cast.household.pk))
    looked = Access.objects.filter(subject=f"household:{records.cast.household.number}")
    assert {look.member_id for look in looked} == {records.cast.alice.pk, records.cast.bob.pk, records.cast.maya.pk}
    client.get(address(Member, "changelist"), {"q": "Rivera"})
    searched = Access.objects.filter(action="search", subject="list:member", reason="q=Rivera")
    assert {look.member_id for look in searched} == {look.member_id for look in looked}


def test_a_look_that_cannot_be_written_down_is_not_had(dana, records, monkeypatch):
    """FAULTS N03: no unlogged view."""

    def fail(**fields: object) -> None:
        raise RuntimeError("the record of looks cannot be written")

    monkeypatch.setattr("activity.staff.looked", fail)
    for target in (address(Bill, "change", records.bill.pk), address(Bill, "changelist")):
        with pytest.raises(RuntimeError):
            dana.get(target)


def test_a_confidential_members_record_opens_for_a_reason_that_is_kept(dana, records):
    """FAULTS F25: break-glass, with a reason, audited."""
    Member.objects.filter(pk=records.cast.maya.pk).update(confidential_since="2026-11-01T00:00Z")
    target = address(Bill, "change", records.bill.pk)
    closed = dana.get(target)
    assert "Outpatient" not in closed.content.decode()
    assert not Access.objects.filter(subject=f"bill:{records.bill.number}").exists()
    assert "Outpatient" not in dana.post(target, {"reason": "no"}).content.decode()
    assert dana.post(target, {"reason": "Maya called about this bill."}).status_code == 302
    look = Access.objects.get(action="confidential")
    assert (look.member_id, look.reason) == (records.cast.maya.pk, "Maya called about this bill.")
    assert "Outpatient" in dana.get(target).content.decode()
    other = sign_in(Client(), make_staff(Role.BILLING))
    assert "Outpatient" not in other.get(target).content.decode()
    household = dana.get(address(Household, "change", records.cast.household.pk)).content.decode()
    assert "confidential" in household
    assert "$150.00" not in household


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_what_it_is_for_and_nothing_else(staff, records, role):
    """FAULTS F21: each permission as declared, of lists and of records."""
    client = staff(role)
    for model in MODELS:
        label = f"{model._meta.app_label}.view_{model._meta.model_name}"
        expected = 200 if label in PERMISSIONS[role] else 403
        assert client.get(address(model, "changelist")).status_code == expected, label
        if (obj := model.objects.order_by("pk").first()) is not None:
            assert client.get(address(model, "change", obj.pk)).status_code == expected, label


def test_staff_without_a_role_see_nothing(staff, records):
    client = staff(None)
    for model in MODELS:
        assert client.get(address(model, "changelist")).status_code == 403
    assert "4410-2297" not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_members_find_no_staff_pages(client, records, who):
    client.force_login(getattr(records.cast, who).user, "accounts.backends.AuthenticationBackend")
    for model in MODELS:
        assert client.get(address(model, "changelist")).status_code == 404
    assert client.get(reverse("admin:index")).status_code == 404


def test_strangers_are_asked_to_sign_in(client, records):
    answer = client.get(address(Bill, "change", records.bill.pk))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


def test_the_first_page_says_what_waits(dana):
    page = dana.get(reverse("admin:index")).content.decode()
    assert "Waiting for somebody" in page
    assert "Dispute" in page


def test_there_is_no_page_that_edits_sign_ins_second_factors_or_sessions(db):
    for name in ("account_emailaddress", "mfa_authenticator", "usersessions_usersession", "auth_group"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}_changelist")


def test_pages_carry_no_inline_script_or_style(dana, records):
    """FAULTS M07: the content security policy holds on the staff's side too."""
    for target in (reverse("admin:index"), address(Bill, "changelist"), address(Bill, "change", records.bill.pk)):
        answer = dana.get(target)
        page = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page)
        assert " style=" not in page
        assert "<style" not in page
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]


def test_the_book_is_the_same_after_a_walk_through_all_pages(dana, records):
    before = (Transfer.objects.count(), Account.objects.count(), Event.objects.count(), User.objects.count())
    for model in MODELS:
        for obj in model.objects.all()[:5]:
            dana.get(address(model, "change", obj.pk))
    assert (Transfer.objects.count(), Account.objects.count(), Event.objects.count(), User.objects.count()) == before


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (User, {"password__startswith": "a"}),
        (Bill, {"title__icontains": "Outpatient"}),
        (Bill, {"provider_name": "Oakridge"}),
        (Bill, {"member__last_name": "Rivera"}),
        (Member, {"birth_date__year": "2015"}),
        (StripeEvent, {"body__id": "evt_1"}),
    ],
)
def test_a_list_is_not_asked_about_any_other_column(dana, model, query):
    """FAULTS F26, I16: a password's hash letter by letter, or who had which service."""
    assert dana.get(address(model, "changelist"), query).status_code == 400


def test_a_confidential_record_of_ones_own_household_stays_closed(records):
    """FAULTS F20, F25: no reason opens it, and least of all the parent's of the child who asked for this."""
    Member.objects.filter(pk=records.cast.maya.pk).update(confidential_since="2026-11-01T00:00Z")
    user = make_staff(Role.BILLING)
    Member.objects.filter(pk=records.cast.alice.pk).update(user=user)
    client = sign_in(Client(), user)
    hidden = (records.bill, records.claim, records.payment, records.refund)
    for record in hidden:
        target = address(type(record), "change", record.pk)
        assert client.get(target)["Location"] == reverse("admin:index")  # as for one that is not there
        assert client.post(target, {"reason": "I want to see this bill."}).status_code == 403
        assert target not in client.get(address(type(record), "changelist")).content.decode()
    for record in (records.bill.receivable, records.cast.maya, Transfer.objects.get(key="check:1")):
        target = address(type(record), "change", record.pk)
        assert client.get(target).status_code == 403
        assert client.post(target, {"reason": "I want to see this bill."}).status_code == 403
    assert client.get(address(Bill, "change", records.premium.pk)).status_code == 200
    assert not Access.objects.filter(action="confidential").exists()


@pytest.mark.parametrize("model", [Account, Transfer])
def test_the_book_of_a_confidential_member_opens_for_a_reason_too(dana, records, model):
    """FAULTS F25: what moved the balance of her bill, and the look is recorded as a look at hers, not the holder's."""
    own = {Account: records.bill.receivable, Transfer: Transfer.objects.get(key="check:1")}[model]
    target = address(model, "change", own.pk)
    assert "$35.00" in dana.get(target).content.decode()
    assert Access.objects.latest("pk").member_id == records.cast.maya.pk
    Member.objects.filter(pk=records.cast.maya.pk).update(confidential_since="2026-11-01T00:00Z")
    assert "$35.00" not in dana.get(target).content.decode()
    dana.post(target, {"reason": "Maya called about this bill."})
    assert "$35.00" in dana.get(target).content.decode()


def test_the_admins_own_ways_around_are_closed(dana):
    """N01: completion would list members without a record of the look; H01: its password page has no limit."""
    query = {"app_label": "bills", "model_name": "bill", "field_name": "member", "term": ""}
    assert dana.get(reverse("admin:autocomplete"), query).status_code == 404
    assert dana.get(reverse("admin:password_change"))["Location"] == reverse("account_change_password")
