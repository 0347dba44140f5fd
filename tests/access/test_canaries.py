"""The canary walk: what happens on a member's side who is apart changes nothing that the holder can open (FAULTS F06).

Every page of a member is opened as Alice, from the table of addresses, so that pages that are added are walked too, and
so are her calendar's feed and a link that she made. Then Bob is billed, pays, is refused and refunded, has a statement,
a plan, autopay and help, disputes a bill that is far above its estimate and talks with staff about it, and so is Maya
for what she may consent to herself; and every page is opened again. Not a letter may differ: no row, amount, sum,
count, gap, notice, file, or suggestion; nor in the mails. The same walk with a Bob who is seen must find much.
"""

import datetime as dt
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pypdf
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import confidentiality, rate_limits
from accounts.models import Member, User
from accounts.policies import Policy
from activity.recording import record
from bills import claims
from bills.imports import moving
from bills.issuing import Line
from bills.models import Accumulator, Bill, Claim
from notifications import bill_notices, digest, notices, sending, tasks
from notifications.models import Channel, Notification, Preference
from payments import guest_links, monthly_statements, parting
from payments.autopay import feed
from payments.models import AutopayEnrollment, Payment, Refund
from payments.plans import respreading
from payments.states import PaymentStatus
from tests.access import disputing
from tests.access.conftest import prove
from tests.access.disputing import ASKED
from tests.access.objects import World, make_world
from tests.access.routes import Route, all_routes
from tests.accounts.private import private_side_of
from tests.assistance.asking import approved
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment
from tests.payments.autopay.making import announced, enrolled
from tests.payments.plans.making import make_plan
from tests.smtp import Mailbox, bodies, mailbox, whole  # noqa: F401
from tests.support.questions import make_inquiry

pytestmark = pytest.mark.slow

CANARY = "Kanarienvogel"
CENTS = 7_313_137
# What Alice did herself stays hers to read.
HERS = {"/payments/", "/payments/export/", "/plans/", "/autopay/", "/autopay/new/", "/documents/", "/notifications/"}
PAID_CENTS = 1_919_191
LATE = dt.timedelta(days=27)
ROUTES = [route for route in all_routes() if route.policy in (Policy.MEMBER, Policy.SIGNED_IN, Policy.API)]
PAGES = [route for route in ROUTES if "pdf" not in route.name]
LEFT_OUT = {"pay_return"}
# What a holder may type where a page searches, filters or pages.
QUERIES = {
    "bills": ("provider=Kanarien", "state=open", "kind=medical", "least=73131"),
    "payments": ("least=8125", "kind=medical"),
    "claims": ("kind=professional", "status=active"),
    "payments_export": ("kind=medical",),
}


@pytest.fixture
def frozen() -> Iterator[None]:
    """One moment for the whole walk, so that no clock on a page differs."""
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10), tick=False):
        yield


@pytest.fixture
def world(frozen: None, cast: Cast) -> World:
    make_coverage(cast.alice, cast.bob, cast.maya)
    made = make_world(cast)
    assert cast.alice.user is not None
    for member in (cast.bob, cast.maya):
        number = disputing.estimated(member).number
        for key in ("bills/number", "estimates/number"):
            made.objects[key].of[f"estimated {member.first_name}"] = number
    Preference.objects.create(user=cast.alice.user, kind="weekly_digest", channel=Channel.MAIL, is_wanted=True)
    for bill in Bill.objects.filter(member__in=[cast.alice, cast.maya]):  # else the first print of a bill makes it
        guest_links.ensure(bill, guest_links.Purpose.STATEMENT, user_id=cast.alice.user.pk)
    issue_statements()
    tell()
    return made


@pytest.fixture
def doors(cast: Cast, world: World) -> list[str]:
    """What Alice can open without signing in: her calendar's feed, and a link to a bill of Bob's that she made."""
    assert cast.alice.user is not None
    bill = Bill.objects.get(source_id="bill-Bob")
    link = guest_links.ensure(bill, guest_links.Purpose.SHARED, user_id=cast.alice.user.pk)
    opened = guest_links.address(link).removeprefix(settings.PORTAL_URL)
    return [feed.renew(cast.alice.user, states_amounts=True), opened]


def issue_statements() -> None:
    """Those of the month before, as the night does: one that is issued is not issued again."""
    today = timezone.localdate()
    monthly_statements.issue(today.replace(day=1) - dt.timedelta(days=1), on=today)


def tell() -> None:
    """Everybody is told of what has happened and of what falls due."""
    tasks.work_off()
    bill_notices.remind(timezone.localdate())


def walk(
    world: World, client: Client, routes: Sequence[Route] = ROUTES, doors: Sequence[str] = ()
) -> dict[str, str]:  # fmt: skip
    """What Alice can tell each page by: of her household's objects, and of missing ones."""
    rate_limits.forget_everything()  # a walk opens more documents than somebody may in ten minutes
    found = {address: told(Client(), address) for address in doors}
    for route in routes:
        if route.name in LEFT_OUT:
            continue
        for address in addresses(route, world):
            found[address] = told(client, address)
            if route.name in ASKED:
                found[f"POST {address}"] = told(client, address, ASKED[route.name])
    return found


def addresses(route: Route, world: World) -> list[str]:
    if not route.keys:
        plain = route.address({})
        return [plain, *(f"{plain}?{query}" for query in QUERIES.get(route.name, ()))]
    objects = world.of(route.name, route.keys[0]).of
    return [route.address(dict.fromkeys(route.keys, value)) for value in objects.values()]


def told(client: Client, address: str, asked: dict[str, str] | None = None) -> str:
    """Status, where it leads, and all that can be read, a PDF's words too. `asked`: what is sent for an answer."""
    answer: Any = client.get(address) if asked is None else client.post(address, asked)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if answer.get("Content-Type", "").startswith("application/pdf"):
        words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)
    else:
        words = body.decode(errors="replace")
    words = re.sub(r'(nonce|value)="[\w:-]{16,}"', "", words)  # tokens and keys, drawn anew for each page
    return f"{answer.status_code} {answer.get('Location', '')} {words}"


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, for the message of a failure."""
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def live(bob: Member) -> None:
    """All that can happen on Bob's side."""
    staff = User.objects.get(email="dana@example.com")
    line = Line(description=CANARY, amount_cents=CENTS, charged_cents=CENTS * 2, deductible_cents=CENTS)
    bill = make_bill(bob, amount_cents=CENTS, title=CANARY, provider_name=CANARY, lines=(line,))
    late = make_bill(bob, amount_cents=CENTS, title=CANARY, provider_name=CANARY, due_on=timezone.localdate() - LATE)
    paid = make_payment({bill: CENTS // 3}, payer=bob.user)
    make_payment({late: CENTS // 7}, payer=bob.user, status=PaymentStatus.PROCESSING)
    make_payment({late: CENTS // 9}, payer=bob.user, status=PaymentStatus.FAILED)
    Claim.objects.create(
        number=CANARY, member=bob, household=bob.household, bill=bill, kind="professional", provider_name=CANARY,
        service_on=timezone.localdate(), billed_cents=CENTS, allowed_cents=CENTS, deductible_cents=CENTS,
        member_owes_cents=CENTS, source="canary", source_id=f"canary {bob.pk}", source_version="1",
    )  # fmt: skip
    for accumulator in Accumulator.objects.filter(member=bob):
        Accumulator.objects.filter(pk=accumulator.pk).update(deductible_cents=90_000, out_of_pocket_cents=90_000)
    refunded(paid)
    issue_statements()
    tell()
    known = Bill.objects.filter(estimates__member=bob.private_of_id or bob.pk).earliest("pk")
    disputing.answered(known, staff, CANARY)
    disputing.disputed(late, known=known, by=staff, canary=CANARY)
    if bob.user is not None:
        announced(AutopayEnrollment.objects.filter(user=bob.user).first() or enrolled(bob), bob)
        make_plan(bob, [make_bill(bob, amount_cents=80_000, title=CANARY, provider_name=CANARY)])
        approved(bob, staff, income_cents=1_000_00)
    tell()


def refunded(payment: Payment) -> None:
    """A part of a payment goes back."""
    made = Refund.objects.create(payment=payment, amount_cents=CENTS // 11, reason=CANARY, status="succeeded")
    record(
        "refund.succeeded", subject=f"payment:{payment.number}", owner_id=payment.household_id, actor="test",
        payment_id=payment.pk, refund_id=made.pk,
    )  # fmt: skip


def read(mailbox: Mailbox) -> list[str]:  # noqa: F811
    """Each mail to Alice, whole, without what is drawn anew for each."""
    hers = [message for message in mailbox.taken if message["To"] == "alice@example.com"]
    assert not any(word in whole(message) for message in hers for word in (CANARY, "73,131"))
    return [re.sub(r"[\w:.-]{24,}", "", "".join(bodies(message))) for message in hers]


def write_digest(weeks: int) -> None:
    """Alice's digest, of so many weeks on, and its mail."""
    assert digest.make(timezone.localdate() + dt.timedelta(weeks=weeks)) == 1
    sending.send_waiting()


def billed(maya: Member, cents: int) -> Claim:
    """A claim and its bill, both with a canary's name."""
    bill = make_bill(maya, amount_cents=cents, title=CANARY, provider_name=CANARY)
    claim = Claim.objects.create(
        number=f"{CANARY}-{bill.pk}", member=maya, household=maya.household, bill=bill, kind="professional",
        provider_name=CANARY, service_on=timezone.localdate(), billed_cents=cents, allowed_cents=cents,
        deductible_cents=cents, member_owes_cents=cents, source="canary", source_id=f"{bill.pk}", source_version="1",
    )  # fmt: skip
    claims.accumulate([claims.counted(claim)])
    return claim


def done_before(maya: Member, alice: User, bob: User) -> list[Claim]:
    """What others did about bills before anybody knew that they are their person's own."""
    found = [billed(maya, CENTS), billed(maya, 80_000)]
    bill, on_plan = [claim.bill for claim in found]
    assert bill is not None and on_plan is not None
    make_plan(Member.objects.get(user=alice), [on_plan])
    make_payment({bill: PAID_CENTS}, payer=alice)
    make_payment({bill: CENTS // 9}, payer=bob)
    make_payment({bill: CENTS // 7}, payer=alice, status=PaymentStatus.FAILED)
    draft = make_payment({bill: CENTS // 8}, payer=alice, status=PaymentStatus.DRAFT)
    Payment.objects.filter(pk=draft.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=5))
    make_inquiry(maya, by=alice, bill=bill, holds_bill=True)
    tell()
    return found


def ask(bob: Member) -> None:
    where = {"channel": "mail", "email": "bob@example.com"}
    confidentiality.begin(bob, where=where, actor="test")


def grow_up(bob: Member) -> None:
    today = timezone.localdate()
    Member.objects.filter(pk=bob.pk).update(
        birth_date=today.replace(year=today.year - 18), joined_on=dt.date(2020, 1, 1)
    )


@pytest.mark.parametrize("part", [ask, grow_up])
def test_nothing_of_who_is_apart_reaches_the_holder(
    part: Any, cast: Cast, world: World, doors: list[str], mailbox: Mailbox  # noqa: F811
) -> None:  # fmt: skip
    make_bill(cast.bob, amount_cents=CENTS, title=CANARY, provider_name=CANARY)
    notices.make()
    waiting = Notification.objects.get(user=cast.alice.user, member_id=cast.bob.pk, status="waiting")
    assert cast.alice.user is not None
    disputing.asked_before(Bill.objects.get(estimates__member=cast.bob), cast.alice.user)
    part(cast.bob)
    bob = Member.objects.get(pk=cast.bob.pk)
    write_digest(0)
    queued = Notification.objects.filter(user=cast.alice.user, member_id=bob.pk)
    assert queued.get(pk=waiting.pk).status == "dropped"  # F09: made before, and not sent any more
    heard = (queued.count(), mailbox.recipients.count("alice@example.com"))
    client, routes = prove(Client(), cast.alice.user), ROUTES if part is ask else PAGES  # prints are slow: once
    walk(world, client, [route for route in ROUTES if route.name == "statement"])  # none is new any more
    before = walk(world, client, routes, doors)
    live(bob)
    side = private_side_of(cast.maya)  # F14: of her the rest stays where it was
    Accumulator.objects.create(member=side, year=timezone.localdate().year)
    live(side)
    sending.send_waiting()
    after = walk(world, client, routes, doors)
    differ = {each: changed(before[each], after[each]) for each in before if before[each] != after[each]}
    assert differ == {}
    shut = disputing.doors_of([bob, side])
    assert {told(client, address)[:3] for address in shut} == {"404"} and len(shut) > 12
    for address, text in after.items():
        assert CANARY not in text.replace(f"value=&quot;{CANARY[:8]}", ""), address
        assert "73,131" not in text, address
    assert (queued.count(), mailbox.recipients.count("alice@example.com")) == heard
    assert before[doors[0]].startswith("200") and before[doors[1]].startswith("302 /guest-pay/ ")
    write_digest(1)
    first, second = read(mailbox)[-2:]
    assert first == second
    assert not Notification.objects.filter(user=cast.alice.user, member_id=side.pk).exists()
    assert all(bill.number in after["/bills/"] for bill in cast.maya.bills.all())


def test_the_walk_would_find_it(cast: Cast, world: World, doors: list[str]) -> None:
    """The bite: with nothing between them, Alice's pages change and the canaries sing on many of them."""
    client = prove(Client(), cast.alice.user)
    assert cast.alice.user is not None
    known = Bill.objects.get(estimates__member=cast.bob)
    disputing.asked_before(known, cast.alice.user)
    before = walk(world, client, PAGES, doors)
    live(cast.bob)
    after = walk(world, client, PAGES, doors)
    differ = {address for address in before if before[address] != after[address]}
    assert doors[0] in differ and before[doors[1]].startswith("302 /guest-pay/bill/ ")
    must = {"/overview/", "/bills/", "/payments/", "/payments/export/", "/family/", "/claims/", "/notifications/"}
    must |= {"/support/", f"POST /assistance/estimates/{known.number}/"}
    assert must <= {re.sub(r"\?.*", "", address) for address in differ}
    assert (
        disputing.ABOVE not in before[f"/bills/{known.number}/"] and disputing.ABOVE in after[f"/bills/{known.number}/"]
    )
    assert any(CANARY in text for text in after.values())
    assert Notification.objects.filter(user=cast.alice.user).count() > 1


def test_of_what_was_paid_before_its_label_the_payer_keeps_the_payment_alone(cast: Cast, world: World) -> None:
    """F14: every list and sum is as if the bill had never been, but for what Alice paid, planned and was told herself.

    Of her payment she reads that it was one, how much, when and with what; of the plan she signed, what it came to.
    """
    assert cast.alice.user is not None and cast.bob.user is not None
    client = prove(Client(), cast.alice.user)
    lists = [route for route in ROUTES if not route.keys]
    before = walk(world, client, lists)
    found = done_before(cast.maya, cast.alice.user, cast.bob.user)
    for page in ("/overview/", "/bills/", "/family/", "/family/owes/", "/family/spending/", "/notifications/"):
        assert told(client, page) != before[page]
    side = private_side_of(cast.maya)
    for claim in found:
        moving.aside(claim, side.pk, on=timezone.localdate())
        assert claim.bill is not None
        disputing.answered(claim.bill, cast.dana, CANARY)
    parting.part_ways()
    respreading.run()
    tell()
    numbers = list(Bill.objects.filter(member=side).values_list("number", flat=True))
    after = walk(world, client, lists)
    differ = {address: changed(bare(before[address]), bare(after[address])) for address in before}
    for address, lines in differ.items():
        added = "\n".join(line for line in lines if line[0] == "+")
        for word in (CANARY, *numbers, "73,131", "8,125"):  # what the bill was, and what Bob paid
            assert word not in added, (address, lines)
        assert after[address].count("Maya") <= before[address].count("Maya"), (address, lines)
    assert not Notification.objects.filter(user=cast.alice.user, kind="inquiry_answered").exclude(status="dropped")
    kept = {re.sub(r"[?].*", "", address) for address, lines in differ.items() if lines}
    assert kept <= HERS


def bare(page: str) -> str:
    """A page without how many notices are unread."""
    return re.sub(r'bell__count">\d+', "", page)


def test_who_saw_it_before_sees_it_no_more(cast: Cast, world: World) -> None:
    """F09, F10: what was seen a moment ago, in an open page, is gone by the next request, scheduled payments too."""
    live(cast.bob)
    bill = cast.bob.bills.filter(title=CANARY, amount_cents=CENTS).latest("pk")
    draft = make_payment({bill: 100}, payer=cast.alice.user, status=PaymentStatus.DRAFT)
    Payment.objects.filter(pk=draft.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=5))
    client = prove(Client(), cast.alice.user)
    assert client.get(f"/bills/{bill.number}/").status_code == 200
    assert draft.number in told(client, "/payments/")
    ask(cast.bob)
    assert client.get(f"/bills/{bill.number}/").status_code == 404
    texts = walk(world, client, PAGES)
    assert [address for address, text in texts.items() if CANARY in text] == []
    assert draft.number not in texts["/payments/"]
