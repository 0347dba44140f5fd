"""Bills, coverages and payments for tests: each with its transfers, as the portal itself would write them."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence

from django.db import connection
from django.utils import timezone

import ledger
from accounts.models import Coverage, Delegate, Member, Plan, User
from bills import issuing
from bills.issuing import Line
from bills.models import Bill, ChargeRule, FinanceCharge, GracePeriod, GraceRule
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from payments import finance_charges
from payments.models import Payment, PaymentAllocation
from payments.states import PaymentStatus
from tests.conftest import PASSWORD

_serial = itertools.count(1)

LINE = Line(
    description="Office visit, established patient", amount_cents=18_500, charged_cents=61_200, discount_cents=27_200,
    plan_paid_cents=15_500, deductible_cents=12_500, copay_cents=6_000,
)  # fmt: skip


def make_bill(
    member: Member,
    *,
    amount_cents: int = 18_500,
    due_on: dt.date | None = None,
    issued_on: dt.date | None = None,
    lines: Sequence[Line] = (LINE,),
    title: str = "Outpatient visit",
    provider_name: str = "Oakridge Medical Center",
    service_on: dt.date | None = dt.date(2026, 10, 14),
) -> Bill:
    """Issue a medical bill."""
    due = due_on or timezone.localdate() + dt.timedelta(days=10)
    return issuing.issue(
        member=member, kind=Bill.Kind.MEDICAL, amount_cents=amount_cents, title=title, provider_name=provider_name,
        issued_on=issued_on or due - dt.timedelta(days=25), due_on=due, service_on=service_on, lines=lines,
        source="test", source_id=f"bill-{next(_serial)}",
    )  # fmt: skip


def make_coverage(
    subscriber: Member,
    *members: Member,
    kind: str = Coverage.Kind.FAMILY,
    premium_cents: int = 53_076,
    subsidy_cents: int = 0,
    charitable_cents: int = 0,
    start_on: dt.date | None = None,
    end_on: dt.date | None = None,
    plan_name: str = "Family Silver 70",
) -> Coverage:
    """A coverage in force since the first of this year, with a plan that has limits."""
    year = timezone.localdate().year
    plan, _is_new = Plan.objects.get_or_create(
        name=plan_name, year=year,
        defaults={
            "deductible_individual_cents": 250_000, "deductible_family_cents": 500_000,
            "out_of_pocket_individual_cents": 870_000, "out_of_pocket_family_cents": 1_740_000,
        },
    )  # fmt: skip
    coverage = Coverage.objects.create(
        plan=plan, kind=kind, household=subscriber.household, subscriber=subscriber, premium_cents=premium_cents,
        subsidy_cents=subsidy_cents, charitable_cents=charitable_cents, start_on=start_on or dt.date(year, 1, 1),
        end_on=end_on,
    )  # fmt: skip
    coverage.members.add(subscriber, *members)
    return coverage


def make_payment(
    allocations: Mapping[Bill, int],
    *,
    payer: User | None = None,
    status: str = PaymentStatus.SUCCEEDED,
    on: dt.date | None = None,
) -> Payment:
    """A payment of these bills, in US cents; one that succeeded is posted to the ledger."""
    bills = list(allocations)
    day = on or timezone.localdate()
    number = next(_serial)
    is_posted = status in (PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED)
    payment = Payment.objects.create(
        number=f"TEST-{number:04d}", household=bills[0].household, payer=payer, kind=bills[0].kind, channel="web",
        status=status, amount_cents=sum(allocations.values()), effective_on=day if is_posted else None,
        method_kind="card", method_brand="visa", method_last4="4242",
    )  # fmt: skip
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=payment, bill=bill, amount_cents=cents) for bill, cents in allocations.items()
    )
    if is_posted:
        ledger.post_many(
            [
                Posting(
                    debit_id=system_id(SystemAccount.STRIPE_CLEARING), credit_id=bill.receivable_id,
                    amount_cents=cents, code=Code.PAYMENT, key=f"payment:{payment.pk}:bill:{bill.pk}",
                    reference=f"payment:{payment.number}", effective_on=day, owner_id=bill.household_id,
                )
                for bill, cents in allocations.items()
            ]
        )  # fmt: skip
    return payment


def make_charge(bill: Bill) -> FinanceCharge:
    """A late fee of $5.00 on a bill, with its transfer."""
    charge = FinanceCharge.objects.create(
        bill=bill, kind="late_fee", month=timezone.localdate().replace(day=1), amount_cents=500, base_cents=10_000,
        rule=ChargeRule.objects.get(state="WA"), charged_on=timezone.localdate(),
    )  # fmt: skip
    ledger.post(
        Posting(
            debit_id=bill.receivable_id, credit_id=system_id(SystemAccount.FINANCE_CHARGE_REVENUE), amount_cents=500,
            code=Code.FINANCE_CHARGE, key=finance_charges.key_of(charge), reference=f"bill:{bill.number}",
            effective_on=timezone.localdate(), owner_id=bill.household_id,
        )
    )  # fmt: skip
    return charge


def make_grace(subscriber: Member, *, status: str = GracePeriod.Status.OPEN) -> GracePeriod:
    """A grace period of a coverage of this member's, whose premium was due twenty days ago."""
    today = timezone.localdate()
    coverage = make_coverage(subscriber)
    bill = issuing.issue(
        member=subscriber, kind=Bill.Kind.PREMIUM, amount_cents=53_076, title="Premium", coverage=coverage,
        issued_on=today - dt.timedelta(days=40), due_on=today - dt.timedelta(days=20), source="test",
        period=(today - dt.timedelta(days=20)).replace(day=1), source_id=f"grace-{next(_serial)}",
    )  # fmt: skip
    return GracePeriod.objects.create(
        coverage=coverage, period=bill.period, rule=GraceRule.objects.get(product="individual", state="CA"),
        status=status, began_on=today - dt.timedelta(days=18), noticed_on=today - dt.timedelta(days=18),
        ends_on=today + dt.timedelta(days=12), cover_ends_on=today + dt.timedelta(days=12), due_cents=53_076,
        closed_on=None if status == GracePeriod.Status.OPEN else today,
    )  # fmt: skip


def make_delegate(member: Member, email: str, grant: str) -> User:
    """Somebody outside the household to whom the member granted this."""
    user = User.objects.create_user(email, PASSWORD)
    user.emailaddress_set.create(email=email, verified=True, primary=True)
    Delegate.objects.create(member=member, user=user, grant=grant)
    return user


def make_many_bills(member: Member, count: int, *, amount_cents: int = 10_000, paid_in_every: int = 0) -> None:
    """Issue `count` medical bills by SQL, due one a day into the past; every `paid_in_every`-th is adjusted away."""
    params = {
        "count": count, "household": member.household_id, "member": member.pk, "control": member.medical_control_id,
        "cents": amount_cents, "revenue": system_id(SystemAccount.MEDICAL_REVENUE), "issued": int(Code.BILL_ISSUED),
        "run": next(_serial), "paid": paid_in_every, "expense": system_id(SystemAccount.ADJUSTMENT_EXPENSE),
        "adjusted": int(Code.ADJUSTMENT),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.many")
        cursor.execute(
            """CREATE TEMPORARY TABLE many AS SELECT n, nextval(pg_get_serial_sequence('bills_bill', 'id')) AS bill_id,
               nextval(pg_get_serial_sequence('ledger_account', 'id')) AS account_id,
               current_date - (n %% 2000)::int AS due FROM generate_series(1, %(count)s) n""",
            params,
        )
        cursor.execute(
            """INSERT INTO ledger_account (id, owner_id, control_id, matures_on, type, balance_cents, is_tracked,
               credits_must_not_exceed_debits, debits_must_not_exceed_credits)
               SELECT account_id, %(household)s, %(control)s, due, 'asset', 0, true, true, false FROM many""",
            params,
        )
        cursor.execute(
            """INSERT INTO bills_bill (id, number, kind, household_id, member_id, issued_on, due_on, title,
               provider_name, amount_cents, receivable_id, plan_eligible, hold_reason, source, source_id, created_at)
               SELECT bill_id, substr(md5(bill_id::text || %(run)s), 1, 9), 'medical', %(household)s, %(member)s,
               due - 30, due, 'Laboratory', 'Oakridge Pathology', %(cents)s, account_id, true, '', 'many',
               %(run)s || ':' || n, now() FROM many""",
            params,
        )
    ledger.post_query(
        """SELECT account_id, %(revenue)s::bigint, %(cents)s::bigint, %(household)s::bigint, %(issued)s::smallint,
           due - 30, 'bill:' || bill_id || ':issued', 'bill:many', NULL::bigint FROM many ORDER BY n""",
        params,
    )
    if paid_in_every:
        ledger.post_query(
            """SELECT %(expense)s::bigint, account_id, %(cents)s::bigint, %(household)s::bigint, %(adjusted)s::smallint,
               due, 'bill:' || bill_id || ':adjusted', 'bill:many', NULL::bigint FROM many
               WHERE n %% %(paid)s = 0 ORDER BY n""",
            params,
        )
