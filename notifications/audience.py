"""Whom an event concerns: for each person, what the notice is about and the key under which it is told once.

The functions of this module stand in the rows of `kinds.KINDS`. An event that lacks what one of them needs raises
KeyError, TypeError or ValueError, and is told to nobody.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from accounts.models import Member
from activity.models import Event
from billing_portal.ids import is_id
from payments import moving
from payments.models import Mandate, Payment, PaymentMethod
from support.models import Inquiry


class Told(NamedTuple):
    """One person to be told, of what, and the fact's key (the kind and the person are added to it)."""

    user_id: int | None  # nobody: it goes by letter to the member
    subject: str
    key: str
    member_id: int | None = None  # whose bill it is: who may not see that member's, does not see the notice either


Audience: TypeAlias = Callable[[Event], Iterator[Told]]


def payer(event: Event) -> Iterator[Told]:
    """Who paid, alone: whose bill it was is nobody else's business (FAULTS F13, L02). Needs `payment_id`."""
    yield from _payer(event, str(event.data["payment_id"]))


def payer_by_hand(event: Event) -> Iterator[Told]:
    """Who paid, where it was not autopay, of a bill or a plan, which tells of its charges. Needs `payment_id`."""
    if not Payment.objects.filter(pk=event.data["payment_id"], channel__in=moving.OFF_SESSION).exists():
        yield from payer(event)


def payer_of_checkout(event: Event) -> Iterator[Told]:
    """Who paid, once for all the payments that share a checkout: one receipt. Needs `payment_id`."""
    split_id = Payment.objects.filter(pk=event.data["payment_id"]).values_list("split_id", flat=True).first()
    yield from _payer(event, f"split:{split_id}" if split_id else str(event.data["payment_id"]))


def payer_of_day(event: Event) -> Iterator[Told]:
    """Who scheduled a payment, once for each day it was scheduled for. Needs `payment_id` and `on`."""
    yield from _payer(event, f"{event.data['payment_id']}:{event.data['on']}")


def payer_of_refund(event: Event) -> Iterator[Told]:
    """Who paid, once for each refund. Needs `payment_id` and `refund_id`."""
    yield from _payer(event, str(event.data["refund_id"]))


def payer_each_time(event: Event) -> Iterator[Told]:
    """Who paid, once for each event: for what can happen to a payment more than once. Needs `payment_id`."""
    yield from _payer(event, f"event:{event.pk}")


def owners_of_guest_payment(event: Event) -> Iterator[Told]:
    """Who is told of the bill that a guest paid: `readers_of_bill`; nothing of who paid. Needs `payment_id`."""
    payment = Payment.objects.filter(pk=event.data["payment_id"], channel=Payment.Channel.GUEST).first()
    if payment is not None:
        member = payment.allocations.select_related("bill__member").get().bill.member
        for user_id in readers_of_bill(member):
            yield Told(user_id, f"payment:{payment.number}", str(payment.pk), member.pk)


def method_owner(event: Event) -> Iterator[Told]:
    """Whose method it is, once. The subject is `method:` with our id or the provider's."""
    yield from _method_owner(event, "")


def method_owner_each_time(event: Event) -> Iterator[Told]:
    """Whose method it is, once for each event: a card can be renewed more than once."""
    yield from _method_owner(event, str(event.pk))


def shared_with(event: Event) -> Iterator[Told]:
    """Whom a method was shared with, once for each share. Needs `member_id` and `share_id`."""
    member = Member.objects.filter(pk=event.data["member_id"], user__isnull=False).first()
    if member is not None and member.user_id is not None:
        yield Told(member.user_id, f"share:{event.data['share_id']}", str(event.data["share_id"]))


def mandate_giver(event: Event) -> Iterator[Told]:
    """Who gave leave to debit a bank account, once. The subject is `mandate:` with its id."""
    mandate = Mandate.objects.filter(pk=int(event.subject.removeprefix("mandate:")), user__isnull=False).first()
    if mandate is not None and mandate.user_id is not None:
        yield Told(mandate.user_id, event.subject, str(mandate.pk))


def holder_of_claimed_member(event: Event) -> Iterator[Told]:
    """The user who holds a member, once for each who claims it too (FAULTS H24). Needs `held_by` and `claimed_by`."""
    yield Told(event.data["held_by"], event.subject, f"{event.subject}:claimed-by:{event.data['claimed_by']}")


def asker_of_inquiry(event: Event) -> Iterator[Told]:
    """Who asked a question and may still read it, once for each answer. Needs `inquiry_id` and `message_id`."""
    inquiry = Inquiry.objects.filter(pk=event.data["inquiry_id"]).select_related("asked_by").first()
    if inquiry is not None and Inquiry.objects.visible_to(inquiry.asked_by).filter(pk=inquiry.pk).exists():
        key = f"{inquiry.pk}:{event.data['message_id']}"
        yield Told(inquiry.asked_by_id, f"inquiry:{inquiry.number}", key, inquiry.member_id)


def household_holder(event: Event) -> Iterator[Told]:
    """The primary holder of the event's household (`owner_id`), once for each event."""
    holder = Member.objects.filter(household_id=event.owner_id, is_primary_holder=True, user__isnull=False).first()
    if holder is not None and holder.user_id is not None:
        yield Told(holder.user_id, event.subject, str(event.pk))


def actor(event: Event) -> Iterator[Told]:
    """The user who did it, once for each event: `actor` is `user:<id>`."""
    family, _colon, name = event.actor.partition(":")
    if family == "user":
        yield Told(int(name), event.subject, str(event.pk))


def readers_of_bill(member: Member) -> list[int]:
    """Users who are told of a member's bills: the member and the household's primary holder.

    Of a member who is apart (`Member.is_apart`: confidential, of age, gone) the member alone, shared or not (FAULTS
    L02; 45 CFR 164.522(b), Cal. Civ. Code 56.107).
    `bill_notices.READERS` is the same in SQL.
    """
    readers = {member.user_id}
    if not member.is_apart:
        holder = Member.objects.filter(household_id=member.household_id, is_primary_holder=True).first()
        readers.add(holder.user_id if holder else None)
    return sorted(user_id for user_id in readers if user_id is not None)


def _payer(event: Event, key: str) -> Iterator[Told]:
    payment = Payment.objects.filter(pk=event.data["payment_id"], payer__isnull=False).first()
    if payment is not None and payment.payer_id is not None:
        yield Told(payment.payer_id, f"payment:{payment.number}", key)


def _method_owner(event: Event, key: str) -> Iterator[Told]:
    name = event.subject.removeprefix("method:")
    found = PaymentMethod.objects.filter(pk=int(name)) if is_id(name) else PaymentMethod.objects.filter(stripe_id=name)
    method = found.first()
    if method is not None:
        yield Told(method.user_id, f"method:{method.pk}", key or str(method.pk))
