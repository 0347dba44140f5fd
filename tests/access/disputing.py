"""Disputed bills and estimates for the canary walk: threads with staff, holds, good-faith and private estimates."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Member, User
from bills import estimates, holds, rechecking
from bills.checking import Flag
from bills.models import Bill, Hold
from support import files, threads
from support.models import Inquiry
from tests.access.conftest import prove
from tests.accounts.files import pdf
from tests.factories import make_bill
from tests.support.questions import make_inquiry

FIGURES = {"size": "1", "income": "1000", "period": "12", "state": "OR"}
# What a holder may send for an answer alone, which keeps and moves nothing.
ASKED = {"assistance": FIGURES, "assistance_estimate": FIGURES}
ABOVE = "above its good-faith estimate"


def estimated(member: Member) -> Bill:
    """A bill that keeps to its good-faith estimate."""
    bill = make_bill(member, amount_cents=18_500)
    _estimate(member, bill, 18_000)
    return bill


def asked_before(bill: Bill, by: User) -> Inquiry:
    """What somebody else asked about a bill, which waits for it, while they still saw it."""
    return make_inquiry(bill.member, by=by, bill=bill, topic=Inquiry.Topic.WRONG, holds_bill=True)


def answered(bill: Bill, by: User, canary: str) -> None:
    """Staff answer every question about a bill, and its holds end."""
    for inquiry in Inquiry.objects.unsettled().filter(bill=bill):
        threads.answer(inquiry, by=by, text=canary)


def disputed(bill: Bill, *, known: Bill, by: User, canary: str) -> None:
    """A bill far above its estimate is disputed and waits; of another staff and its member write to and fro.

    `known`: a bill that others see or saw; its estimate gets one more bill, which they do not see.
    """
    member = bill.member
    _estimate(member, bill, 100, canary)
    make_bill(member, amount_cents=7_313_137, service_on=known.service_on, provider_name=known.provider_name)
    rechecking.run(timezone.localdate())
    if member.user is None:  # nobody of theirs signs in: staff let it wait
        holds.begin(bill, cause=Hold.Cause.ESTIMATE, reason=canary, by=by)
        return
    make_inquiry(member, bill=bill, topic=Inquiry.Topic.WRONG, flag=Flag.ABOVE_ESTIMATE, holds_bill=True)
    talked = make_inquiry(member, bill=bill, topic=Inquiry.Topic.WRONG, holds_bill=True)
    threads.answer(talked, by=by, text=canary, keeps_hold=True)
    sent = files.keep(SimpleUploadedFile(f"{canary}.pdf", pdf()), by=member.user, member=member)
    threads.add(talked, by=member.user, text=canary, upload=sent)
    threads.close(talked, by=by, reason=canary, text=canary)
    answer: Any = prove(Client(), member.user).post(f"/assistance/estimates/{bill.number}/", FIGURES)
    assert "73,131" in answer.content.decode()


def doors_of(members: list[Member]) -> list[str]:
    """The addresses of all that was asked, sent and estimated about the bills of these: nobody else's to open."""
    inquiries = Inquiry.objects.filter(member__in=members)
    bills = list(Bill.objects.filter(member__in=members).values_list("number", flat=True))
    keys = inquiries.filter(messages__upload__isnull=False).values_list("messages__upload__key", flat=True)
    return [
        *(f"/support/{number}/" for number in inquiries.values_list("number", flat=True)),
        *(f"/support/ask/?bill={number}&flag={Flag.ABOVE_ESTIMATE}" for number in bills),
        *(f"/assistance/estimates/{number}/" for number in bills),
        *(f"/uploads/{key}/" for key in keys),
    ]


def _estimate(member: Member, bill: Bill, cents: int, canary: str = "") -> None:
    assert bill.service_on is not None
    estimates.take(
        number=f"{canary}E{bill.pk}", member=member, provider=bill.provider_name, service_on=bill.service_on,
        issued_on=bill.service_on, amount_cents=cents, source="canary", actor="test",
    )  # fmt: skip
