"""What stands in addresses: for each kwarg, whose objects there are, and one that does not exist.

A route with a kwarg of its own needs a line in `make_world`: the key is the part of the address before it and its name,
as in `bills/number` for `/bills/<number>/…` and `/api/v1/bills/<number>/` alike.
"""

import datetime as dt
from dataclasses import dataclass, field, replace

from django.utils import timezone

import ledger
from accounts.models import Delegate, Invitation, Member, User
from accounts.uploads import keeping
from accounts.visibility import scope_of
from assistance import applying
from assistance.models import Application
from bills import sharing
from bills.models import Bill, Claim, Statement
from ledger.chart import Code
from payments import monthly_statements
from payments.models import (
    AutopayCharge,
    AutopayEnrollment,
    MethodSetup,
    MethodShare,
    Payment,
    PaymentAllocation,
    PaymentMethod,
)
from tests.access import plans, relations
from tests.access.relations import (
    ASKER_RULE,
    CLINICAL_RULE,
    DECIDES_RULE,
    HELD_RULE,
    HOLDER_RULE,
    HOUSEHOLD_RULE,
    LEAVING_RULE,
    OWN_RULE,
    PAYERS_RULE,
    PLANNER_RULE,
    SERVICE,
    STATEMENT_RULE,
    Rule,
    rule,
)
from tests.accounts import files
from tests.accounts.records import Records, make_guest_payment
from tests.conftest import Cast
from tests.factories import make_bill, make_grace
from tests.support.questions import make_inquiry

# Routes that are not for everybody who sees the object.
SEEN_BY_ROUTE = {
    **dict.fromkeys(plans.OWNERS_ROUTES, PLANNER_RULE),
    "premiums_ahead": PAYERS_RULE,
    "payment_mandate": OWN_RULE,  # who agreed
    "payment_schedule": OWN_RULE,  # who scheduled it
    "payment_again": OWN_RULE,  # who paid
    "leaving_death": HELD_RULE,  # a holder, of whom she holds
    "leaving_holder": HOLDER_RULE,  # one's own account
    "payment_return": OWN_RULE,  # the payer comes back from the bank's page
}


@dataclass(frozen=True)
class Objects:
    """The objects that a kwarg may name: by owner, and one that is missing; and who sees whose."""

    of: dict[str, object]
    missing: object
    seen: Rule = field(default_factory=lambda: HOUSEHOLD_RULE)


@dataclass(frozen=True)
class World:
    """The cast, who acts for Bob, and an object of every kind of each member."""

    users: dict[str, User]
    objects: dict[str, Objects]

    def of(self, route_name: str, key: str) -> Objects:
        """The objects of a kwarg; some routes show less than others of the same address do."""
        objects = self.objects[key]
        return replace(objects, seen=SEEN_BY_ROUTE[route_name]) if route_name in SEEN_BY_ROUTE else objects


def make_world(cast: Cast) -> World:
    """Everything that an address can name, of the cast; somebody acts for Bob."""
    delegate = User.objects.create_user("delegate@example.com")
    Delegate.objects.create(member=cast.bob, user=delegate, grant="full")
    return _make(cast, {"delegate": delegate})


def make_wide_world(cast: Cast) -> World:
    """The same with every relation: who is apart from the holder, and who acts or acted for whom."""
    others = relations.make_others(cast)
    users = {name.lower(): member.user for name, member in others.items() if name.lower() in relations.MEMBERS}
    helpers = relations.make_helpers(cast, others)
    with_objects = [member for name, member in others.items() if name != "Petra"]
    made = _make(cast, helpers | users, *with_objects)
    made.objects["bills/number"].of["Petra"] = _shared(others["Petra"]).number
    Bill.objects.filter(member=cast.bob).update(title=SERVICE, provider_name=SERVICE)
    Claim.objects.filter(member=cast.bob).update(provider_name=SERVICE)
    relations.part_ways(others)
    return made


def _shared(member: Member) -> Bill:
    """A bill that a confidential member lets the holder pay."""
    bill = make_bill(member)
    sharing.set_shared(bill, is_shared=True, actor="test")
    return bill


def _make(cast: Cast, others: dict[str, User | None], *more: Member) -> World:
    """An object of every kind of each member; `others` are users by role."""
    records = Records(cast.alice, cast.bob, cast.maya, cast.charlie, *more)
    users: dict[str, User] = {
        "alice": cast.alice.user, "bob": cast.bob.user, "charlie": cast.charlie.user, "staff": cast.dana, **others,
    }  # type: ignore[dict-item]  # fmt: skip
    everybody = tuple(records.bills)
    by_model = records.by_owner()
    drafts = {name: _draft(records, name) for name in _signed_in(records)}
    enrolled = _autopay(records)
    objects = {
        "bills/number": Objects({name: bill.number for name, bill in records.bills.items()}, "0000-0000"),
        "claims/number": Objects({name: f"CLM-{name}" for name in everybody}, "CLM-nobody", CLINICAL_RULE),
        "premiums/coverage_id": Objects(by_model["Coverage"], 0),
        "statements/number": Objects(_statements(cast), "202610-00000000", STATEMENT_RULE),
        "grace/grace_id": Objects({name: make_grace(bill.member).pk for name, bill in records.bills.items()}, 0),
        "support/number": Objects({name: _inquiry(records, name) for name in everybody}, "0000-0000", ASKER_RULE),
        "help/slug": Objects({}, "no-such-article"),
        "pay/number": Objects(drafts, "0000-0000-0000", OWN_RULE),
        # Of a visit, and so nobody's who signs in: tests/payments/test_guest_access.py.
        "guest-pay/number": Objects(_guests(records), "0000-0000-0000", rule()),
        "link/token": Objects({}, "no-token"),
        "calendar-feed/token": Objects({}, "no-token"),
        "payments/number": Objects({name: f"PAY-{name}" for name in everybody}, "0000-0000-0000"),
        "overpaid/source_id": Objects({name: _overpaid(bill) for name, bill in records.bills.items()}, 0),
        "payment-methods/method_id": Objects(by_model["PaymentMethod"], 0, OWN_RULE),
        "add/setup_id": Objects(_setups(records), 0, OWN_RULE),
        "shares/share_id": Objects(_shares(records), 0, OWN_RULE),
        "estimates/number": Objects({name: bill.number for name, bill in records.bills.items()}, "0000-0000"),
        "applications/number": Objects(_applications(records), "0000-0000", OWN_RULE),
        "incomes/source_id": Objects(_sources(), 0, OWN_RULE),
        "uploads/key": Objects(_uploads(records), "no-key", OWN_RULE),
        "autopay/enrollment_id": Objects({name: each.pk for name, each in enrolled.items()}, 0, OWN_RULE),
        "charges/charge_id": Objects(_charges(records, enrolled), 0, OWN_RULE),
        "notifications/notice_id": Objects(by_model["Notification"], 0, OWN_RULE),
        "delegates/delegate_id": Objects(_delegates(records), 0, DECIDES_RULE),
        "invitations/invitation_id": Objects(_invitations(records, users, to_self=True), 0, OWN_RULE),
        "sent/invitation_id": Objects(_invitations(records, users, to_self=False), 0, DECIDES_RULE),
        "leaving/member_id": Objects({name: bill.member_id for name, bill in records.bills.items()}, 0, LEAVING_RULE),
        "plans/number": Objects(plans.numbers(records), "0000-0000-0000"),
        "agreements/agreement_id": Objects(plans.agreements(records), 0),
        "keys/pk": Objects(_passkeys(records), 0, OWN_RULE),
        "key/uidb36": Objects({}, "1"),
        "/key": Objects({}, "set-password"),
    }
    return World(users, objects)


def _autopay(records: Records) -> dict[str, AutopayEnrollment]:
    """Autopay of medical bills, of each who has a card."""
    return {
        name: AutopayEnrollment.objects.create(
            user=records.bills[name].member.user, household=records.bills[name].household, covers="medical",
            method=PaymentMethod.objects.get(stripe_id=f"pm_{name}"),
        )
        for name in _signed_in(records)
    }  # fmt: skip


def _signed_in(records: Records) -> list[str]:
    """Who has a sign-in: a private side's is that of the person."""
    return [name for name, bill in records.bills.items() if bill.member.user and not bill.member.private_of_id]


def _charges(records: Records, enrolled: dict[str, AutopayEnrollment]) -> dict[str, object]:
    """A charge that each is told of."""
    return {
        name: AutopayCharge.objects.create(
            enrollment=enrollment, household=enrollment.household, bill=records.bills[name], amount_cents=100,
            due_on=timezone.localdate(), charge_on=timezone.localdate(), method=enrollment.method,
        ).pk
        for name, enrollment in enrolled.items()
    }  # fmt: skip


def _delegates(records: Records) -> dict[str, object]:
    """Somebody whom each let act."""
    other = User.objects.create_user("other-delegate@example.com")
    return {
        name: Delegate.objects.create(member=bill.member, user=other, grant="view").pk
        for name, bill in records.bills.items()
        if not bill.member.private_of_id
    }


def _invitations(records: Records, users: dict[str, User], *, to_self: bool) -> dict[str, object]:
    """An invitation that waits: to each one's own address, or from each."""
    made: dict[str, object] = {}
    for name, bill in records.bills.items():
        to = bill.member.user
        if bill.member.private_of_id or (to_self and to is None):
            continue
        made[name] = Invitation.objects.create(
            member=records.bills["Maya"].member if to_self else bill.member, grant="pay_only",
            address=to.email if to_self and to is not None else "asked@example.com",
            invited_by=users["alice"], expires_at=timezone.now() + dt.timedelta(days=1),
        ).pk  # fmt: skip
    return made


def _inquiry(records: Records, name: str) -> str:
    """A question about each, by each or by who acts for them."""
    member = records.bills[name].member
    return make_inquiry(member, by=member.user or records.bills["Alice"].member.user).number


def _statements(cast: Cast) -> dict[str, object]:
    """A statement of each household: the primary holder's; and of who is apart, their own."""
    monthly_statements.issue(dt.date(2026, 10, 1), on=dt.date(2026, 11, 2))
    of = dict(Statement.objects.filter(member__isnull=True).values_list("household_id", "number"))
    own = dict(Statement.objects.filter(member__isnull=False).values_list("member__first_name", "number"))
    holders = dict(Member.objects.filter(is_primary_holder=True).values_list("household_id", "first_name"))
    return {holders[household_id]: number for household_id, number in of.items()} | own


def _setups(records: Records) -> dict[str, object]:
    """A bank account that each is about to add."""
    return {
        name: MethodSetup.objects.create(
            user=records.bills[name].member.user, confirmation_token="t", kind="us_bank_account", last4="6789"
        ).pk
        for name in _signed_in(records)
    }


def _applications(records: Records) -> dict[str, object]:
    """An application that each has begun."""
    members = {name: records.bills[name].member for name in _signed_in(records)}
    return {name: applying.begin(scope_of(member.user), member.user).number for name, member in members.items()}


def _sources() -> dict[str, object]:
    """A source of income of each application."""
    return {
        application.members.get(user=application.applicant, private_of__isnull=True).first_name:
        applying.add_income(application, kind="wages", amount_cents=100, times_a_year=12, upload=None).pk
        for application in Application.objects.all()
    }  # fmt: skip


def _uploads(records: Records) -> dict[str, object]:
    """A file that each sent."""
    members = {name: records.bills[name].member for name in _signed_in(records)}
    made = {}
    for name, member in members.items():
        assert member.user is not None
        upload = keeping.keep(files.sent(files.pdf()), by=member.user, member=member, purpose="test")
        made[name] = upload.key
    keeping.scan_waiting()
    return made


def _shares(records: Records) -> dict[str, object]:
    """A method that each shares with somebody of the household."""
    methods = {method.user_id: method for method in PaymentMethod.objects.all()}
    members = {name: records.bills[name].member for name in _signed_in(records)}
    others = {"Alice": "Bob", "Bob": "Alice"}
    return {
        name: MethodShare.objects.create(method=methods[member.user_id], member=members[others.get(name, name)]).pk
        for name, member in members.items()
    }


def _overpaid(bill: Bill) -> int:
    """The id of what a bill was lowered by after it had been paid."""
    credit_id = bill.household.credit_id
    assert credit_id is not None
    return ledger.post(
        ledger.Posting(
            debit_id=bill.receivable_id, credit_id=credit_id, amount_cents=100, code=Code.CREDIT_RAISED,
            key=f"bill:{bill.pk}:credit", reference=f"bill:{bill.number}", effective_on=timezone.localdate(),
            owner_id=bill.household_id,
        )
    ).id  # fmt: skip


def _guests(records: Records) -> dict[str, object]:
    """A payment by somebody else, of a bill of each of these."""
    return {name: make_guest_payment(records.bills[name]).number for name in ("Alice", "Bob")}


def _draft(records: Records, name: str) -> str:
    """A payment that is not sent yet: its payer's alone."""
    bill = records.bills[name]
    draft = Payment.objects.create(
        number=f"DRAFT-{name}", household=bill.household, kind=bill.kind, channel="web", amount_cents=100,
        payer=bill.member.user, created_at=timezone.now(),
    )  # fmt: skip
    PaymentAllocation.objects.create(payment=draft, bill=bill, amount_cents=100)
    return draft.number


def _passkeys(records: Records) -> dict[str, object]:
    made: dict[str, object] = {}
    for name in _signed_in(records):
        user = records.bills[name].member.user
        assert user is not None
        made[name] = user.authenticator_set.create(type="webauthn", data={"name": "key"}).pk
    return made
