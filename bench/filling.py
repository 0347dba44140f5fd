"""Households with bills, paid and open, by the hundred thousand: set-based, in the shapes that the portal writes.

Transfers go through `ledger.post_query`, so every balance is the book's own. The other tables are filled with foreign
keys and row triggers asleep: what they would check is what is written here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

import ledger
from accounts.households import add_member, open_household
from accounts.models import User
from bench import databases
from bench.databases import execute
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount

CHUNK_BILLS = 100_000
MAX_PREMIUMS = 600  # of one coverage: fifty years
DAYS_APART = 7  # of one household's bills
BILLS_EACH, OPEN_EACH = 20, 4  # of a neighbour

TABLES = [
    "accounts_user", "accounts_household", "accounts_member", "accounts_coverage", "accounts_coverage_members",
    "ledger_account", "ledger_transfer", "bills_bill", "bills_billline", "bills_claim", "bills_accumulator",
    "payments_payment", "payments_paymentallocation",
]  # fmt: skip

FAMILY = """
    CREATE TEMPORARY TABLE IF NOT EXISTS family (user_id bigint, household_id bigint, holder_id bigint, child_id bigint,
        holder_medical bigint, holder_premium bigint, child_medical bigint, child_premium bigint, coverage_id bigint,
        bills int, still_open int)
"""

PEOPLE = """
    INSERT INTO family SELECT nextval('accounts_user_id_seq'), nextval('accounts_household_id_seq'),
        nextval('accounts_member_id_seq'), nextval('accounts_member_id_seq'), nextval('ledger_account_id_seq'),
        nextval('ledger_account_id_seq'), nextval('ledger_account_id_seq'), nextval('ledger_account_id_seq'),
        nextval('accounts_coverage_id_seq'), %s, %s FROM generate_series(1, %s);
    INSERT INTO accounts_user (id, email, password, is_superuser, is_active, is_staff, language, date_joined)
        SELECT user_id, 'u' || user_id || '@example.com', '!', false, true, false, 'en', now() FROM family
        ON CONFLICT DO NOTHING;
    INSERT INTO accounts_household (id, number, address, city, state, zip, is_paperless)
        SELECT household_id, 'H' || household_id, '', 'Oakland', 'CA', '94612', true FROM family
        ON CONFLICT DO NOTHING;
    INSERT INTO ledger_account (id, type, owner_id, is_control, balance_cents, is_tracked,
        credits_must_not_exceed_debits, debits_must_not_exceed_credits)
        SELECT unnest(ARRAY[holder_medical, holder_premium, child_medical, child_premium]), 'asset', household_id,
               true, 0, true, false, false FROM family ON CONFLICT DO NOTHING;
    INSERT INTO accounts_member (id, number, first_name, last_name, birth_date, relationship, household_id, user_id,
        is_primary_holder, source, source_id, medical_control_id, premium_control_id)
        SELECT holder_id, 'M' || holder_id, 'Ana', 'Reyes', date '1984-03-09', 'self', household_id, user_id, true, '',
               '', holder_medical, holder_premium FROM family
        UNION ALL SELECT child_id, 'M' || child_id, 'Leo', 'Reyes', date '2015-11-02', 'child', household_id, NULL,
               false, '', '', child_medical, child_premium FROM family
        ON CONFLICT DO NOTHING;
"""

COVERAGES = """
    INSERT INTO accounts_coverage (id, plan_id, kind, household_id, subscriber_id, start_on, premium_cents,
        subsidy_cents, charitable_cents, source, source_id)
        SELECT coverage_id, {plan}, 'family', household_id, holder_id, '1990-01-01', 53076, 0, 0, '', '' FROM family;
    INSERT INTO accounts_coverage_members (coverage_id, member_id)
        SELECT coverage_id, unnest(ARRAY[holder_id, child_id]) FROM family;
    INSERT INTO bills_accumulator (member_id, year, deductible_cents, out_of_pocket_cents)
        SELECT unnest(ARRAY[holder_id, child_id]), extract(year FROM current_date), 120000, 240000 FROM family;
"""

# Bill n of a household: every fourth or so a premium of its coverage; the first few of them open, n = 1 due last.
# They lie in the order of their days, between the neighbours' bills, as they come in over the years.
DUE = """
    DROP TABLE IF EXISTS pg_temp.due;
    CREATE TEMPORARY TABLE due AS
    SELECT f.user_id, f.household_id, f.coverage_id, n, nextval('bills_bill_id_seq') AS bill_id,
           nextval('ledger_account_id_seq') AS account_id, nextval('payments_payment_id_seq') AS payment_id,
           p.is_premium, n <= f.still_open AS is_open, current_date + 20 - n * {days} AS on_day,
           10000 + n %% 90 * 100 AS cents,
           CASE WHEN p.is_premium OR n %% 2 = 1 THEN f.holder_id ELSE f.child_id END AS member_id,
           CASE WHEN p.is_premium THEN f.holder_premium WHEN n %% 2 = 1 THEN f.holder_medical ELSE f.child_medical
           END AS control_id,
           (date_trunc('month', current_date) - make_interval(months => n / p.every - 1))::date AS period,
           n = 1 AND f.household_id %% 20 = 0 AS is_on_its_way
    FROM family f CROSS JOIN generate_series(1, f.bills) n
    CROSS JOIN LATERAL (SELECT every, n %% every = 0 AS is_premium
        FROM (SELECT greatest(4, f.bills / {premiums}) AS every) e) p
    ORDER BY on_day
"""

BILLS = """
    INSERT INTO ledger_account (id, owner_id, control_id, matures_on, type, balance_cents, is_tracked,
        credits_must_not_exceed_debits, debits_must_not_exceed_credits)
        SELECT account_id, household_id, control_id, on_day, 'asset', 0, true, true, false FROM due;
    INSERT INTO bills_bill (id, number, kind, household_id, member_id, issued_on, due_on, service_on, title,
        provider_name, amount_cents, receivable_id, coverage_id, period, plan_eligible, hold_reason, source, source_id,
        created_at)
        SELECT bill_id, lpad(to_hex(bill_id), 9, '0'), CASE WHEN is_premium THEN 'premium' ELSE 'medical' END,
               household_id, member_id, on_day - 30, on_day, CASE WHEN NOT is_premium THEN on_day - 45 END,
               CASE WHEN is_premium THEN 'Premium' ELSE 'Laboratory' END,
               CASE WHEN is_premium THEN '' ELSE 'Oakridge Pathology' END, cents, account_id,
               CASE WHEN is_premium THEN coverage_id END, CASE WHEN is_premium THEN period END, true, '', 'bench',
               bill_id::text, on_day - 30 FROM due;
    INSERT INTO bills_billline (bill_id, position, description, charged_cents, discount_cents, plan_paid_cents,
        other_paid_cents, deductible_cents, copay_cents, coinsurance_cents, not_covered_cents, amount_cents)
        SELECT bill_id, 1, 'Comprehensive metabolic panel', cents * 3, cents, cents, 0, cents, 0, 0, 0, cents FROM due;
    INSERT INTO bills_claim (number, member_id, household_id, bill_id, kind, status, provider_name, service_on,
        billed_cents, allowed_cents, discount_cents, plan_paid_cents, other_paid_cents, deductible_cents, copay_cents,
        coinsurance_cents, not_covered_cents, member_owes_cents, source, source_id, source_version, created_at)
        SELECT 'C' || bill_id, member_id, household_id, bill_id, 'professional', 'active', 'Oakridge Pathology',
               on_day - 45, cents * 3, cents * 2, cents, cents, 0, cents, 0, 0, 0, cents, 'bench', bill_id::text, '',
               on_day - 40 FROM due WHERE NOT is_premium;
"""

PAYMENTS = """
    INSERT INTO payments_payment (id, number, household_id, payer_id, kind, channel, status, amount_cents,
        confirmation_token, method_kind, method_brand, method_last4, method_wallet, saves_method, consent_version,
        method_label, attestation, guest_customer_id, attempt, stripe_payment_intent_id, stripe_charge_id, failure_code,
        created_at, submitted_at, asked_at, settled_at, effective_on)
        SELECT payment_id, lpad(to_hex(payment_id), 14, '0'), household_id, user_id,
               CASE WHEN is_premium THEN 'premium' ELSE 'medical' END, 'web',
               CASE WHEN is_open THEN 'processing' ELSE 'succeeded' END, cents, '', 'card', 'visa', '4242', '', false,
               '', '', '', '', 1, 'pi_bench_' || payment_id, '', '', on_day, on_day, on_day,
               CASE WHEN NOT is_open THEN on_day END, CASE WHEN NOT is_open THEN on_day END FROM due
               WHERE NOT is_open OR is_on_its_way;
    INSERT INTO payments_paymentallocation (payment_id, bill_id, amount_cents)
        SELECT payment_id, bill_id, cents FROM due WHERE NOT is_open OR is_on_its_way;
"""

ISSUED = """
    SELECT account_id, (CASE WHEN is_premium THEN {premium} ELSE {medical} END)::bigint, cents::bigint, household_id,
           {issued}::smallint, on_day - 30, 'bill:' || bill_id || ':issued', 'bill:' || bill_id, NULL::bigint FROM due
"""

PAID = """
    SELECT {clearing}::bigint, account_id, cents::bigint, household_id, {payment}::smallint, on_day,
           'payment:' || payment_id || ':bill:' || bill_id, 'payment:' || lpad(to_hex(payment_id), 14, '0'),
           NULL::bigint
    FROM due WHERE NOT is_open
"""

NUMBERS = {
    "medical": SYSTEM_ACCOUNT_IDS[SystemAccount.MEDICAL_REVENUE],
    "premium": SYSTEM_ACCOUNT_IDS[SystemAccount.PREMIUM_REVENUE],
    "clearing": SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_CLEARING],
    "issued": int(Code.BILL_ISSUED),
    "payment": int(Code.PAYMENT),
}


@dataclass(frozen=True, slots=True)
class Home:
    """A household of a holder, who signs in with this address, and a child; its latest bills are open."""

    email: str
    bills: int
    still_open: int


def fill(homes: Sequence[Home], neighbours: int) -> None:
    """Fill these households, and as many bills of neighbours, a chunk at a time."""
    execute(FAMILY)
    for home in homes:
        _people(home)
    homeless = -(-neighbours // BILLS_EACH)
    step = max(1, CHUNK_BILLS // BILLS_EACH)
    while homeless > 0 or execute("SELECT EXISTS (SELECT FROM family)")[0][0]:
        count = min(step, max(homeless, 0))
        with _past_the_walls():
            execute(PEOPLE, BILLS_EACH, OPEN_EACH, count)
            execute(COVERAGES.format(plan=_plan()))
        _bills()
        execute("TRUNCATE family")
        homeless -= step
    databases.vacuum(*TABLES)


def _people(home: Home) -> None:
    user = User.objects.create(email=home.email, password=make_password(None))
    user.emailaddress_set.create(email=home.email, verified=True, primary=True)
    household = open_household(city="Oakland", state="CA", zip="94612")
    holder, child = (
        add_member(
            household, number=f"B-{household.pk}-{name}", first_name=name, last_name="Reyes", birth_date=born,
            relationship=relationship, is_primary_holder=relationship == "self",
            user=user if relationship == "self" else None,
        )
        for name, born, relationship in (("Ana", "1984-03-09", "self"), ("Leo", "2015-11-02", "child"))
    )  # fmt: skip
    execute(
        "INSERT INTO family VALUES (%s, %s, %s, %s, %s, %s, %s, %s, nextval('accounts_coverage_id_seq'), %s, %s)",
        user.pk, household.pk, holder.pk, child.pk, holder.medical_control_id, holder.premium_control_id,
        child.medical_control_id, child.premium_control_id, home.bills, home.still_open,
    )  # fmt: skip


def _bills() -> None:
    execute(DUE.format(days=DAYS_APART, premiums=MAX_PREMIUMS).replace("%%", "%"))
    with _past_the_walls():
        execute(BILLS)
    ledger.post_query(ISSUED.format(**NUMBERS))
    with _past_the_walls():
        execute(PAYMENTS)
    ledger.post_query(PAID.format(**NUMBERS))


def _plan() -> int:
    """The plan that covers everybody."""
    found = execute("SELECT id FROM accounts_plan")
    return (found or execute(
        "INSERT INTO accounts_plan (name, year, deductible_individual_cents, deductible_family_cents,"
        " out_of_pocket_individual_cents, out_of_pocket_family_cents, source, source_id)"
        " VALUES ('Family Silver 70', extract(year FROM current_date), 250000, 500000, 870000, 1740000, '', '')"
        " RETURNING id"
    ))[0][0]  # fmt: skip


@contextmanager
def _past_the_walls() -> Iterator[None]:
    execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        execute("SET session_replication_role = DEFAULT")
