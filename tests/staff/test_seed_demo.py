"""The demo's data: invented, consistent, put in once, never in production."""

import datetime as dt

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Delegate, Member, User
from activity.models import Event
from assistance.models import Application, Award
from bills.check_facts import gather
from bills.checking import Flag, check
from bills.models import Accumulator, Bill, Claim
from ledger.models import Account, Transfer
from notifications.demo import history
from notifications.demo.care import VISITS
from support.models import Inquiry


@pytest.fixture(autouse=True)
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens at this address: what was paid is recorded as checks."""
    monkeypatch.setattr(settings, "STRIPE_API_BASE", "http://127.0.0.1:9")


def rows() -> list[int]:
    """How many rows there are of what matters."""
    return [model.objects.count() for model in (User, Member, Bill, Claim, Transfer, Account, Event, Accumulator)]


def test_the_demo_is_seeded_once(db):
    call_command("seed_demo")
    first = rows()
    call_command("seed_demo")
    assert rows() == first


def test_a_seeding_that_was_interrupted_goes_on(db, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(history, "pay", lambda due: (_ for _ in ()).throw(history.HistoryUnpaid("stopped")))
        with pytest.raises(history.HistoryUnpaid):
            call_command("seed_demo")
    before = rows()
    call_command("seed_demo")
    assert rows()[:4] == before[:4]
    assert Event.objects.filter(kind="demo.seeded").count() == 1


def test_everybody_can_sign_in_but_maya(client, db):
    call_command("seed_demo")
    for name in ("alice", "bob", "charlie", "elena", "dana"):
        user = User.objects.get(email=f"{name}@example.com")
        assert user.check_password("meridian-demo")
        assert user.emailaddress_set.get().verified
    assert Member.objects.get(first_name="Maya").user is None


def test_the_bills_stand_in_the_states_that_the_demo_shows(db):
    call_command("seed_demo")
    today = timezone.localdate()
    balances = {bill.source_id: bill.balance_cents for bill in Bill.objects.select_related("receivable")}
    assert balances["outpatient"] == 18500
    assert balances["laboratory"] == 12640
    assert balances["urgent-care"] == 15000
    assert balances["imaging"] == balances["annual-lab"] == balances["physical-therapy"] == 0
    outpatient = Bill.objects.get(source_id="outpatient")
    assert outpatient.due_on == today - dt.timedelta(days=18)
    family = Bill.objects.filter(kind="premium", member__first_name="Alice").order_by("period")
    assert [bill.balance_cents for bill in family] == [0] * 6 + [53076]
    medicare = Bill.objects.filter(kind="premium", member__first_name="Charlie").order_by("period")
    assert [bill.balance_cents for bill in medicare] == [0] * 5 + [4850] * 2
    assert not Event.objects.filter(processed_at__isnull=True).exists()


def test_help_questions_and_flags_stand_as_the_demo_shows_them(db):
    """Elena's help and what she may pay for Alice; what is begun, asked, and flagged by the bill check."""
    call_command("seed_demo")
    today = timezone.localdate()
    elena, alice = Member.objects.get(first_name="Elena"), Member.objects.get(first_name="Alice")
    given = {award.kind: award for award in Award.objects.filter(application__applicant=elena.user)}
    assert set(given) == {"assistance", "charitable"} and given["charitable"].end_on > today
    bill = Bill.objects.get(source_id="walk-in-surgery")
    assert 0 < bill.balance_cents < bill.amount_cents and bill.held_since is None
    statuses = Application.objects.values_list("household__members__first_name", "status").distinct()
    assert {("Elena", "approved"), ("Alice", "draft")} <= set(statuses)
    assert Delegate.objects.in_force(today).get().user == elena.user
    assert sorted(Inquiry.objects.values_list("status", flat=True)) == ["answered", "open"]
    flagged = {found.flag for one in Bill.objects.filter(kind="medical") for found in check(gather(one)).findings}
    assert flagged >= {Flag.MORE_THAN_CLAIM, Flag.CLAIM_OPEN, Flag.ABOVE_ESTIMATE}
    assert not Bill.objects.filter(member=alice, held_since__isnull=False).exclude(source_id="undecided").exists()


def test_the_parts_of_every_bill_and_claim_sum_to_the_whole(db):
    call_command("seed_demo")
    for bill in Bill.objects.filter(kind="medical"):
        assert sum(line.amount_cents for line in bill.lines.all()) == bill.amount_cents
        for line in bill.lines.all():
            assert line.charged_cents - line.discount_cents - line.plan_paid_cents == line.amount_cents
    for claim in Claim.objects.all():
        assert claim.billed_cents - claim.discount_cents == claim.allowed_cents
        assert claim.allowed_cents - claim.plan_paid_cents == claim.member_owes_cents
    assert all(service.plan_paid >= 0 for visit in VISITS for service in visit.services)
    balances = sum(Account.objects.filter(control__isnull=False).values_list("balance_cents", flat=True))
    controls = Account.objects.filter(is_control=True).values_list("balance_cents", flat=True)
    assert balances == sum(controls) > 0


def test_production_refuses_the_demos_data(db, monkeypatch):
    """FAULTS N07: passwords that everybody knows are never put into production."""
    monkeypatch.setattr(
        settings, "ENVIRONMENT", settings.ENVIRONMENT.model_copy(update={"portal_environment": "production"})
    )
    with pytest.raises(CommandError, match="never put into production"):
        call_command("seed_demo")
    assert not User.objects.exists()
