"""The day on which somebody leaves a household, comes of age on it, or has died: what was planned together ends.

Sight has ended by then, by the date itself, and nothing would be charged any more. This takes it off the lists, gives
bills the time to be paid by whom they are left to, and ends autopay, plans, shares and delegates. One transaction a
departure, once, whatever runs twice. Money on its way is left to settle on the bill that it was sent for.
"""

import datetime as dt
import logging

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import delegates, departures, private_sides, successions
from accounts.models import Departure, Invitation, Member
from activity.doorbell import ring
from activity.models import WorkItem
from activity.recording import open_work, record
from bills import holds, sharing
from bills.models import Bill, BillQuerySet, Hold
from ledger.transactions import atomic_with_retry
from payments import moving
from payments import sharing as method_sharing
from payments.autopay import changing
from payments.models import AutopayCharge, AutopayEnrollment, GuestLink, MethodShare, Payment, PaymentPlan, PlanBill
from payments.plans import agreeing, respreading
from payments.states import PaymentStatus

logger = logging.getLogger(__name__)

Cause = Departure.Cause
Charge = AutopayCharge.Status
ACTOR = "system"
PARTED = "parted"  # the code of what was called off for it
BATCH = 500


def run(today: dt.date | None = None) -> int:
    """Settle every departure whose day has come, and let new bills of who has died wait; how many were settled."""
    due = list(Departure.objects.due(today or timezone.localdate()).order_by("on", "pk")[:BATCH])
    settled = sum(_settled(each.pk) for each in due)
    _keep_held()
    if settled:
        ring("payments.tasks.part_ways")
    return settled


def _settled(departure_id: int) -> bool:
    try:
        return settle(departure_id)
    except Exception:  # whatever is wrong with one must not keep the others: it is tried again with the next run
        logger.exception("departure %s could not be settled", departure_id)
        return False


@atomic_with_retry
def settle(departure_id: int) -> bool:
    """Do what follows from one departure; whether it was still to be done."""
    departure = Departure.objects.select_for_update().get(pk=departure_id)
    is_open = departure.done_at is None and departure.canceled_at is None
    if not is_open or departure.on > timezone.localdate():
        return False
    member = Member.objects.select_for_update().get(pk=departure.member_id)
    if member.is_primary_holder and departure.cause != Cause.DEATH:
        if not successions.is_ready(departure):
            successions.lapse(member, departure)
            return True
        _settle_succession(member, departure)
    elif departure.cause == Cause.DEATH:
        _settle_death(member, departure)
    else:
        _settle_parting(member, departure)
    Departure.objects.filter(pk=departure.pk).update(done_at=timezone.now(), limits={})
    record(
        "departure.done", subject=f"departure:{departure.pk}", actor=ACTOR, owner_id=member.household_id,
        member_id=member.pk, cause=str(departure.cause),
    )  # fmt: skip
    ring("notifications.tasks.work_off")
    return True


def open_bills(member: Member) -> BillQuerySet:
    """What is owed for a member and not withdrawn; without the private side's, which is never the holder's to pay."""
    return _open_in_household(member).filter(member=member)


def _open_bills_of_both(member: Member) -> BillQuerySet:
    return _open_in_household(member).filter(member__in=private_sides.both(member).values("pk"))


def _open_in_household(member: Member) -> BillQuerySet:
    return Bill.objects.owed().filter(household_id=member.household_id, voided_at__isnull=True)


def _settle_parting(member: Member, departure: Departure) -> None:
    if departure.cause == Cause.OF_AGE and not member.is_apart:
        return  # of age on an account that they joined as an adult, or they let the holder see: nothing ends
    if departure.bills == Departure.Bills.HOLDER:
        for bill in open_bills(member).filter(issued_on__lt=departure.on, shared_at__isnull=True):
            sharing.set_shared(bill, is_shared=True, actor=ACTOR)
    _end_autopay(member)
    _take_off_plans(member, departure)
    _end_shares(member)
    for delegate in departures.held_for(member, on=departure.on).order_by("pk"):
        delegates.end(delegate, actor=ACTOR, reason="left the household")
    for invitation in departures.asked_for(member, on=departure.on).order_by("pk"):
        delegates.withdraw(invitation, actor=ACTOR)
    is_out_of_reach = member.user_id is None and not departure.address
    if is_out_of_reach and _open_bills_of_both(member).filter(shared_at__isnull=True).exists():
        open_work(
            WorkItem.Kind.DEPARTURE, subject=f"member:{member.number}", dedupe_key=f"departure:{departure.pk}",
            detail="Left without a sign-in, and owes bills that nobody sees now. Reach them at their own address.",
        )  # fmt: skip


def _settle_succession(holder: Member, departure: Departure) -> None:
    """Another holds the account from now on, and the former holder pays for nobody of it but themself; or it closes."""
    successor = departure.successor
    if successor is None:
        successions.close(departure)
        departures.note("departure.account_closed", departure, actor=ACTOR)
        return
    successions.hand_over(holder, successor)
    for bill in Bill.objects.filter(household_id=holder.household_id, shared_at__isnull=False).order_by("pk"):
        sharing.set_shared(bill, is_shared=False, actor=ACTOR)  # it was shared with the former holder, with nobody else
    if holder.user_id is not None:
        _let_go_of_others(holder, departure)
    _settle_parting(Member.objects.get(pk=holder.pk), departure)
    departures.note("departure.holder_changed", departure, actor=ACTOR)


def _let_go_of_others(holder: Member, departure: Departure) -> None:
    """What the former holder paid for others of the household ends: autopay, plans, and links that were made to pay."""
    user_id = holder.user_id or 0
    others = Member.objects.filter(household_id=holder.household_id).exclude(user_id=user_id)
    mine = AutopayEnrollment.objects.in_force().filter(user_id=user_id)
    for enrollment in mine.filter(coverage__subscriber__in=others.values("pk")).order_by("pk"):
        changing.stop(enrollment, actor=ACTOR, code=PARTED)
    for enrollment in mine.filter(members__in=others.values("pk")).distinct().order_by("pk"):
        for member in enrollment.members.filter(pk__in=others.values("pk")).order_by("pk"):
            changing.leave_out(enrollment, member, actor=ACTOR, code=PARTED)
    rows = PlanBill.objects.standing().filter(plan__owner_id=user_id, bill__member__in=others.values("pk"))
    _take_off(rows.filter(plan__status=PaymentPlan.Status.ACTIVE), departure)
    for invitation in Invitation.objects.open().filter(invited_by_id=user_id, member__in=others).order_by("pk"):
        delegates.withdraw(invitation, actor=ACTOR)
    links = GuestLink.objects.filter(made_by_id=user_id, bill__member__in=others.values("pk"))
    links.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())


def _settle_death(member: Member, departure: Departure) -> None:
    for bill in _open_bills_of_both(member):
        holds.begin(bill, cause=Hold.Cause.DECEASED, reference=_reference(departure))
    if member.user_id is not None and not _lives_on(member):
        for enrollment in AutopayEnrollment.objects.in_force().filter(user_id=member.user_id).order_by("pk"):
            changing.stop(enrollment, actor=ACTOR, code="deceased")
        for plan in PaymentPlan.objects.running().filter(owner_id=member.user_id).order_by("pk"):
            _end_plan(plan, code="deceased")
        _call_off_scheduled(member.user_id)
    _end_autopay(member)
    _take_off_plans(member, departure)
    _end_shares(member)
    delegates.end_all_of(member, actor=ACTOR, reason="died")
    for delegate in departures.held_for(member).order_by("pk"):
        delegates.end(delegate, actor=ACTOR, reason="died")
    open_work(
        WorkItem.Kind.DEPARTURE, subject=f"member:{member.number}", dedupe_key=f"departure:{departure.pk}",
        detail="Find who settles the estate. Open bills are on hold until then.",
    )  # fmt: skip


def _end_autopay(member: Member) -> None:
    """Others' autopay no longer pays for the member: what is announced and not sent is called off."""
    others = AutopayEnrollment.objects.in_force().exclude(user_id=member.user_id or 0)
    for enrollment in others.filter(coverage__subscriber=member).order_by("pk"):
        changing.stop(enrollment, actor=ACTOR, code=PARTED)
    for enrollment in others.filter(members=member).order_by("pk"):
        changing.leave_out(enrollment, member, actor=ACTOR, code=PARTED)


def _take_off_plans(member: Member, departure: Departure) -> None:
    """The member's bills leave plans of others; of those that the holder goes on paying, they do not."""
    rows = PlanBill.objects.standing().filter(bill__member=member, plan__status=PaymentPlan.Status.ACTIVE)
    rows = rows.exclude(plan__owner_id=member.user_id or 0)
    if departure.bills == Departure.Bills.HOLDER:
        rows = rows.filter(bill__shared_at__isnull=True)
    _take_off(rows, departure)


def _take_off(rows: QuerySet[PlanBill], departure: Departure) -> None:
    """Take bills off the plans that they are on, with time to pay them; a plan with none left ends."""
    plan_ids = sorted(set(rows.values_list("plan_id", flat=True)))
    for plan in PaymentPlan.objects.filter(pk__in=plan_ids).order_by("pk"):
        bills = [row.bill for row in rows.filter(plan=plan).select_related("bill").order_by("bill_id")]
        if departure.plans == Departure.Plans.END:
            _end_plan(plan, code=PARTED)
        else:
            locked = respreading.locked(plan)
            respreading.take_off(locked, bills)
            if PlanBill.objects.standing().filter(plan=plan).exists():
                respreading.fit(plan)
            else:
                _end_plan(plan, code=PARTED)
        for bill in bills:
            holds.give_time(bill)


def _end_plan(plan: PaymentPlan, *, code: str) -> None:
    locked = respreading.locked(plan)
    if locked.status == PaymentPlan.Status.ACTIVE:
        respreading.close(locked, PaymentPlan.Status.ENDED, code=code)
        agreeing.say("plan.ended", locked)


def _end_shares(member: Member) -> None:
    """Methods are no longer lent, either way."""
    household = Member.objects.filter(household_id=member.household_id).exclude(pk=member.pk)
    lent = MethodShare.objects.filter(ended_at__isnull=True, member=member)
    if member.user_id is not None:
        lent |= MethodShare.objects.filter(
            ended_at__isnull=True, member__in=household.values("pk"), method__user_id=member.user_id
        )
    for share in lent.order_by("pk"):
        method_sharing.end(share, reason="left the household", actor=ACTOR)


def _call_off_scheduled(user_id: int) -> None:
    waiting = Payment.objects.filter(payer_id=user_id, status=PaymentStatus.DRAFT, scheduled_on__isnull=False)
    for payment in waiting.order_by("pk"):
        moving.move(payment.pk, PaymentStatus.CANCELED, actor=ACTOR, failure_code="deceased", settled_at=timezone.now())


def _lives_on(member: Member) -> bool:
    """Whether the member's sign-in is somebody else's too, who lives: a parent who signs in for a child."""
    return (
        Member.objects.people().filter(user_id=member.user_id or 0, died_on__isnull=True).exclude(pk=member.pk).exists()
    )


def _keep_held() -> None:
    """Bills that came after a death wait too; where a death was recorded in error, all of them go on."""
    deaths = Departure.objects.filter(cause=Cause.DEATH, done_at__isnull=False).select_related("member")
    owing = Q(member__bills__receivable__balance_cents__gt=0)
    owing |= Q(member__private_side__bills__receivable__balance_cents__gt=0)
    for departure in deaths.filter(owing, canceled_at__isnull=True).distinct():
        sides = private_sides.both(departure.member).values("pk")
        waiting = Hold.objects.standing().filter(cause=Hold.Cause.DECEASED, bill__member__in=sides)
        for bill in _open_bills_of_both(departure.member).exclude(pk__in=waiting.values("bill_id")):
            holds.begin(bill, cause=Hold.Cause.DECEASED, reference=_reference(departure))
    for departure in deaths.filter(canceled_at__isnull=False):
        holds.end_all_of(_reference(departure))


def _reference(departure: Departure) -> str:
    return f"departure:{departure.pk}"
