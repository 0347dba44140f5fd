"""A notice of any kind in the table, to Alice, that is due now and true."""

import datetime as dt

from django.utils import timezone

from accounts.models import Delegate, Departure, Invitation, Member, User
from activity.models import Event
from assistance import applying
from assistance.models import Application, Award
from bills.models import Statement
from notifications import audience, audience_household, helped, kinds
from notifications.kinds import KINDS, Kind
from notifications.models import Notification, Queued
from notifications.news import coverage
from payments import monthly_statements
from payments.models import PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_grace, make_payment
from tests.notifications import telling_autopay, telling_plans
from tests.support.questions import make_inquiry

DUE_IN_DAYS = {kinds.Bill.DUE: 2, kinds.Bill.PAST_DUE: -5, kinds.Bill.OWED: 20}


def make_notice(cast: Cast, kind: str = "receipt", user: User | None = None, **fields: object) -> Notification:
    """A notice to Alice that is due now, and true."""
    reader = user or cast.alice.user
    assert reader is not None
    subject = subject_of(cast, KINDS[kind], reader)
    return Notification.objects.create(
        kind=kind, subject=subject, user=reader, **({"dedupe_key": f"{kind}:{subject}:{reader.pk}"} | fields)
    )


def subject_of(cast: Cast, kind: Kind, reader: User) -> str:
    """Something true for the kind to be about."""
    if kind.bill is not kinds.Bill.ANY:
        due_on = timezone.localdate() + dt.timedelta(days=DUE_IN_DAYS[kind.bill])
        return f"bill:{make_bill(cast.maya, due_on=due_on).number}"
    if kind.topic == kinds.Topic.AUTOPAY:
        return telling_autopay.subject_of(cast, kind, reader)
    if kind.name.startswith("plan_"):
        return telling_plans.subject_of(cast, kind, reader)
    if kind.topic == kinds.Topic.METHODS:
        card = PaymentMethod.objects.create(user=reader, kind="card", stripe_id=f"pm_{kind.name}", last4="4242")
        return f"method:{card.pk}"
    if kind.topic == kinds.Topic.PAYMENTS:
        status = min(kind.true_in) if kind.true_in and "succeeded" not in kind.true_in else PaymentStatus.SUCCEEDED
        return f"payment:{make_payment({make_bill(cast.maya): 5_000}, payer=reader, status=status).number}"
    if kind.name in coverage.TRUE_IN:
        return f"grace:{make_grace(cast.alice, status=min(coverage.TRUE_IN[kind.name])).pk}"
    if kind.topic == kinds.Topic.HELP:
        return about_help(cast, kind, reader)
    if kind.topic == kinds.Topic.FAMILY:
        return about_family(cast, kind, reader)
    if kind.told is audience.asker_of_inquiry:
        return f"inquiry:{make_inquiry(cast.alice, by=reader).number}"
    if kind.name == "statement_ready":
        make_bill(cast.maya, issued_on=dt.date(2026, 10, 5))
        monthly_statements.issue(dt.date(2026, 10, 1), on=dt.date(2026, 11, 2))
        return f"statement:{Statement.objects.get(household=cast.household).number}"
    if kind.told is audience.household_holder:
        return f"household:{cast.household.pk}"
    if kind.told is audience.actor:
        return f"user:{reader.pk}"
    if kind.told is audience.holder_of_claimed_member:
        return f"member:{cast.alice.pk}"
    assert kind.name == "weekly_digest", f"say in tests/notifications/telling.py what a {kind.name} is about"
    make_bill(cast.maya)
    return "digest:2026-W48"


def about_help(cast: Cast, kind: Kind, reader: User) -> str:
    """An application of the reader's, or what it was given."""
    application = Application.objects.create(
        number=applying.draw_number(), household=cast.household, applicant=reader, state="CA", status="approved",
        signature="A", signed_at=timezone.now(),
    )  # fmt: skip
    if kind.told is helped.applicant:
        return f"application:{application.number}"
    today = timezone.localdate()
    award = Award.objects.create(
        application=application, kind="assistance", percent=50, start_on=today, end_on=today, made_by=cast.dana
    )
    return f"award:{award.pk}"


def about_family(cast: Cast, kind: Kind, reader: User) -> str:
    """Something that the reader granted, or was granted."""
    if kind.name == "delegate_invited":
        asked = Invitation.objects.create(
            member=cast.alice, address="helper@example.com", grant="view", invited_by=reader,
            expires_at=timezone.now() + dt.timedelta(days=1),
        )  # fmt: skip
        return f"invitation:{asked.pk}"
    if kind.told in (audience_household.both, audience_household.both_at_the_end):
        return about_leaving(cast, kind)
    if kind.told is audience_household.who_is_asked:
        mine = Member.objects.get(user=reader)
        asking = cast.alice if mine != cast.alice else cast.bob
        asked_for = Departure.objects.create(
            member=asking, cause="moving_out", on=timezone.localdate() + dt.timedelta(days=5), successor=mine
        )
        return f"departure:{asked_for.pk}"
    if kind.told is audience_household.both_of_sight:
        Member.objects.filter(pk=cast.bob.pk).update(
            seen_by_holder_since=timezone.now() if kind.name == "sight_given" else None
        )
        return f"sight:{cast.bob.pk}"
    if kind.name.startswith("confidential_"):
        return f"member:{cast.alice.pk}"
    mine = Member.objects.filter(user=reader).first() or cast.alice
    member, user = (cast.bob, reader) if kind.name == "acting_ended" else (mine, cast.charlie.user)
    assert user is not None
    return f"delegate:{Delegate.objects.create(member=member, user=user, grant='view').pk}"


def about_leaving(cast: Cast, kind: Kind) -> str:
    """Bob's leaving: planned, called off or settled."""
    at = timezone.now()
    departure = Departure.objects.create(
        member=cast.bob, cause="moving_out", on=timezone.localdate() + dt.timedelta(days=5),
        canceled_at=at if kind.name == "departure_canceled" else None,
        done_at=at if kind.name in ("departure_done", "holder_changed", "account_closed", "account_reopened") else None,
    )  # fmt: skip
    return f"departure:{departure.pk}"


def hush() -> None:
    """What happened up to here is told to nobody."""
    Event.objects.filter(processed_at__isnull=True).update(processed_at=timezone.now())


def due_again(notice: Notification) -> None:
    """Let the pause or the lease of a notice run out."""
    past = timezone.now() - dt.timedelta(seconds=1)
    queued = Queued.objects.filter(notification=notice)
    queued.update(due_at=past)
    queued.filter(leased_until__isnull=False).update(leased_until=past)


def wait_again(notice: Notification) -> None:
    """Let a notice that was worked off be due once more."""
    Notification.objects.filter(pk=notice.pk).update(status="waiting", sent_at=None, tries=0)
    Queued.objects.create(notification=notice, due_at=timezone.now())
