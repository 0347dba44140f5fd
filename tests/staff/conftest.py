"""Staff who are signed in, each in a role, and a household with everything in it."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone

from accounts import roles
from accounts.models import Coverage, Plan, User
from accounts.roles import Role
from assistance.models import Application, Award
from bills import holds, issuing, premiums
from bills.models import Accumulator, Bill, Claim, ClaimLine, Estimate, Hold, ImportBatch, ImportReject
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from ledger.posting import Posting, post
from notifications.models import Notification, Suppression
from payments.models import (
    AutopayCharge,
    AutopayEnrollment,
    AutopayProblem,
    BalanceTransaction,
    Check,
    Dispute,
    Finding,
    ImportedAutopay,
    LockboxFile,
    MonthFigures,
    Payment,
    PaymentAllocation,
    PaymentMethod,
    PaymentPlan,
    ReconciliationRun,
    Refund,
    StripeEvent,
)
from payments.plans import policies
from support.models import Inquiry
from tests.conftest import PASSWORD, Cast

DAY = dt.date(2026, 11, 20)


def sign_in(client: Client, user: User, *, minutes_ago: int = 0) -> Client:
    """Sign in with a password and a second factor, so many minutes ago."""
    user.refresh_from_db()
    client.force_login(user, "accounts.backends.AuthenticationBackend")
    at = time.time() - 60 * minutes_ago
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": at, "email": user.email},
        {"method": "mfa", "at": at, "type": "totp"},
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def make_staff(role: Role | None, email: str = "") -> User:
    """Somebody of staff in a role, or in none."""
    roles.install()
    name = role.name.lower() if role else "nobody"
    user = User.objects.create_user(email or f"{name}@staff.example.com", PASSWORD, is_staff=True)
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    if role:
        user.groups.set(roles.Group.objects.filter(name=role))
    return user


@pytest.fixture
def staff(db: None) -> Callable[[Role | None], Client]:
    """A browser of somebody of staff: `staff(Role.BILLING)`."""
    return lambda role: sign_in(Client(), make_staff(role))


@dataclass(frozen=True)
class Records:
    """One record of each kind, Maya's and Alice's."""

    cast: Cast
    bill: Bill
    premium: Bill
    claim: Claim
    payment: Payment
    refund: Refund
    batch: ImportBatch
    reject: ImportReject
    hold: Hold


@pytest.fixture
def records(cast: Cast) -> Records:
    """A bill of Maya's, of which a check paid a part, and one of every other kind of record."""
    bill = issuing.issue(
        member=cast.maya, kind="medical", amount_cents=18500, title="Outpatient visit", provider_name="Oakridge",
        issued_on=DAY, due_on=DAY, service_on=DAY, source="t", source_id="1",
        lines=[issuing.Line(description="Allergy screening", amount_cents=18500, charged_cents=18500)],
    )  # fmt: skip
    post(
        Posting(
            system_id(SystemAccount.LOCKBOX), bill.receivable_id, 3500, Code.LOCKBOX_PAYMENT, "check:1",
            f"bill:{bill.number}", DAY, bill.household_id,
        )
    )  # fmt: skip
    plan = Plan.objects.create(name="Family Silver 70", year=2026)
    coverage = Coverage.objects.create(
        plan=plan, kind="family", household=cast.household, subscriber=cast.alice, start_on=dt.date(2026, 1, 1),
        premium_cents=53076,
    )  # fmt: skip
    coverage.members.set([cast.alice, cast.bob, cast.maya])
    [premium] = premiums.issue_ahead(coverage, through=premiums.timezone.localdate())
    claim = Claim.objects.create(
        number="C-1", member=cast.maya, household=cast.household, bill=bill, kind="professional", service_on=DAY,
        provider_name="Oakridge", source="t", source_id="c1", source_version="1",
    )  # fmt: skip
    ClaimLine.objects.create(claim=claim, position=1, description="Allergy screening")
    Accumulator.objects.create(member=cast.maya, year=2026)
    method = PaymentMethod.objects.create(
        user=cast.alice.user, kind="card", stripe_id="pm_1", brand="visa", last4="4242"
    )
    payment = Payment.objects.create(
        number="AAAA-BBBB-CCCC", household=cast.household, payer=cast.alice.user, kind="medical", channel="web",
        amount_cents=5000, method=method, stripe_payment_intent_id="pi_1",
    )  # fmt: skip
    PaymentAllocation.objects.create(payment=payment, bill=bill, amount_cents=5000)
    refund = Refund.objects.create(payment=payment, amount_cents=100, reason="paid twice")
    Dispute.objects.create(payment=payment, stripe_dispute_id="dp_1", status="needs_response", amount_cents=5000)
    StripeEvent.objects.create(event_id="evt_1", type="charge.succeeded", body={"id": "evt_1"})
    batch = ImportBatch.objects.create(format="csv", file_name="bills.csv", status="finished", read=3)
    reject = ImportReject.objects.create(
        batch=batch, outcome="review", rule="does_not_add_up", reason="Parts do not sum.", source="t", source_id="x",
        record={"resource": {"id": "x"}},
    )  # fmt: skip
    run = ReconciliationRun.objects.create(until=timezone.now())
    finding = Finding.objects.create(kind="only_there", subject="ch_1", run=run, there_cents=100)
    BalanceTransaction.objects.create(
        stripe_id="txn_1", type="charge", source_id="ch_1", amount_cents=100, net_cents=100, created_at=timezone.now(),
        outcome="suspense", finding=finding,
    )  # fmt: skip
    file = LockboxFile.objects.create(name="lockbox.csv", digest="1", taken_by=cast.dana)
    Check.objects.create(
        number="77", amount_cents=100, received_on=DAY, identity="77", status="unmatched", file=file,
        recorded_by=cast.dana,
    )  # fmt: skip
    Notification.objects.create(
        dedupe_key="n1", user=cast.alice.user, kind="bill.issued", subject=f"bill:{bill.number}"
    )
    _others(cast, bill, method)
    hold = holds.begin(premium, cause=Hold.Cause.DISPUTE, reference="inquiry:1")
    return Records(cast, bill, premium, claim, payment, refund, batch, reject, hold)


def _others(cast: Cast, bill: Bill, method: PaymentMethod) -> None:
    """Records that no test asks for by name."""
    today = timezone.localdate()
    application = Application.objects.create(
        number="APPL-0001", household=cast.strangers, applicant=cast.charlie.user, state="OR", status="approved",
        signature="C", signed_at=timezone.now(),
    )  # fmt: skip
    Award.objects.create(
        application=application, kind="assistance", percent=50, start_on=today, end_on=today, made_by=cast.dana
    )
    Suppression.objects.create(address="gone@example.com", cause="bounced")
    enrollment = AutopayEnrollment.objects.create(
        user=cast.alice.user, household=cast.household, covers="medical", method=method
    )
    AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, bill=bill, amount_cents=5000, due_on=DAY, charge_on=DAY
    )
    AutopayProblem.objects.create(enrollment=enrollment, code="card_expires")
    ImportedAutopay.objects.create(
        source="t", source_id="so-1", as_of=DAY, digest="1", member=cast.alice, covers="medical", method_kind="card",
        stripe_method_id="pm_1", last4="4242", day_rule="on_due", code="no_user",
        batch=ImportBatch.objects.create(format="autopay", file_name="orders.csv", status="finished", read=1),
    )  # fmt: skip
    PaymentPlan.objects.create(
        number="PLAN-1", household=cast.household, owner=cast.alice.user, day_of_month=1,
        policy=policies.for_state("CA"),
    )  # fmt: skip
    MonthFigures.objects.create(
        month=DAY.replace(day=1), billed_cents=1, received_cents=1, assisted_cents=0, given_up_cents=0,
        kept_at=timezone.now(),
    )  # fmt: skip
    Estimate.objects.create(
        number="GFE-1", member=cast.maya, household=cast.household, provider_name="Oakridge", service_on=DAY,
        issued_on=DAY, amount_cents=10_000, source="t",
    )  # fmt: skip
    Inquiry.objects.create(
        number="Q-1",
        topic="other",
        household=cast.household,
        member=cast.alice,
        asked_by=cast.alice.user,
        form_key="k",
        due_at=timezone.now(),
    )
