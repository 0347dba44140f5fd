"""The demo's bills that are not in order (one above its claim, one not decided), and questions: answered, and open."""

import datetime as dt

from accounts.models import Member, User
from bills import issuing, open_claims
from bills.issuing import Line
from bills.models import Bill, Claim
from support import answers, asking, threads
from support.asking import About
from support.models import Inquiry

SOURCE = "demo"
ABOVE, UNDECIDED, ASKED_ABOUT = "above-claim", "undecided", "outpatient"


def seed_bills(member: Member, *, today: dt.date) -> None:
    """A bill of $185.00 whose claim says $140.00, and one whose claim the plan has not decided. Once."""
    _bill(
        member, ABOVE, "Specialist visit", "Oakridge Medical Center", today, days_ago=34, owes_cents=14_000,
        line=Line(
            description="Dermatology consultation", amount_cents=18_500, charged_cents=61_200, discount_cents=27_200,
            plan_paid_cents=15_500, copay_cents=18_500,
        ),
    )  # fmt: skip
    _bill(
        member, UNDECIDED, "Imaging", "Bayside Imaging", today, days_ago=12, owes_cents=9_600,
        status=Claim.Status.OPEN,
        line=Line(
            description="X-ray of the wrist", amount_cents=9_600, charged_cents=24_000, discount_cents=9_000,
            plan_paid_cents=5_400, coinsurance_cents=9_600,
        ),
    )  # fmt: skip
    open_claims.keep(Claim.objects.filter(source=SOURCE, source_id=UNDECIDED))


def _bill(
    member: Member, source_id: str, title: str, provider: str, today: dt.date, *, days_ago: int, owes_cents: int,
    line: Line, status: Claim.Status = Claim.Status.ACTIVE,
) -> None:  # fmt: skip
    if Bill.objects.filter(source=SOURCE, source_id=source_id).exists():
        return
    service_on = today - dt.timedelta(days=days_ago)
    bill = issuing.issue(
        member=member, kind=Bill.Kind.MEDICAL, amount_cents=line.amount_cents, title=title, provider_name=provider,
        service_on=service_on, issued_on=service_on + dt.timedelta(days=6), due_on=today + dt.timedelta(days=16),
        source=SOURCE, source_id=source_id, lines=[line],
    )  # fmt: skip
    allowed = line.charged_cents - line.discount_cents
    share = {"copay_cents": owes_cents} if line.copay_cents else {"coinsurance_cents": owes_cents}
    claim = Claim.objects.create(
        number=f"C{member.number}-{source_id}".upper()[:60], member=member, household=member.household, bill=bill,
        kind="professional", status=status, provider_name=provider, service_on=service_on,
        processed_on=service_on + dt.timedelta(days=5), billed_cents=line.charged_cents, allowed_cents=allowed,
        discount_cents=line.discount_cents, plan_paid_cents=allowed - owes_cents, member_owes_cents=owes_cents,
        source=SOURCE, source_id=source_id, source_version="1", **share,
    )  # fmt: skip
    claim.lines.create(
        position=1, description=line.description, service_on=service_on, billed_cents=line.charged_cents,
        allowed_cents=allowed, discount_cents=line.discount_cents, plan_paid_cents=allowed - owes_cents, **share,
    )  # fmt: skip


def seed_question(asker: Member) -> None:
    """A question about a child's bill, answered by staff. Once."""
    user, clerk = asker.user, User.objects.filter(is_staff=True).order_by("pk").first()
    bill = Bill.objects.select_related("member").filter(source=SOURCE, source_id=ASKED_ABOUT).first()
    if user is None or clerk is None or bill is None:
        return
    inquiry = asking.ask(
        About(bill.member, bill=bill), by=user, topic=Inquiry.Topic.WRONG, form_key="demo-question-0001",
        text="Why do we owe a copayment and a deductible for the same visit?",
    )  # fmt: skip
    if inquiry.status == Inquiry.Status.OPEN:
        threads.answer(inquiry, by=clerk, text=answers.text_of("correct", reader=user))


def seed_open_question(asker: Member) -> None:
    """A question that staff have not answered yet: of a bill that has not come. Once."""
    if asker.user is not None:
        asking.ask(
            About(asker), by=asker.user, topic=Inquiry.Topic.MISSING_BILL, form_key="demo-question-0002",
            text="I was at Willamette Physical Therapy two months ago. No bill has come. Did the claim reach you?",
        )  # fmt: skip
