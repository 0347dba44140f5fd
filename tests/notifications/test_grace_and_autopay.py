"""A grace period while autopay is set to pay: the notice and the premium page say so, to whoever turned it on."""

from bills.models import Bill, GracePeriod
from ledger.templatetags.portal import day_long
from notifications import sending
from notifications.models import Notification
from payments.autopay.terms import Subject
from payments.models import AutopayCharge
from tests.conftest import Cast
from tests.factories import make_grace
from tests.payments.autopay.making import enrolled, in_days, make_terms
from tests.payments.pages import signed_in, text_of
from tests.smtp import Mailbox, bodies


def told(mailbox: Mailbox, period: GracePeriod, kind: str) -> str:
    """The text of the mail that is sent now of this period to Alice."""
    Notification.objects.create(
        kind=kind, subject=f"grace:{period.pk}", user=period.coverage.subscriber.user,
        dedupe_key=f"{kind}:{Notification.objects.count()}",
    )  # fmt: skip
    mailbox.taken.clear()
    sending.send_waiting()
    (message,) = mailbox.taken
    return " ".join(bodies(message)[0].split())


def test_it_says_when_autopay_charges_and_that_nothing_is_charged_twice(cast: Cast, mailbox: Mailbox) -> None:
    period, bill = make_grace(cast.alice), Bill.objects.get()
    said = f"Autopay is set to charge a premium of this coverage on {day_long(in_days(5))}. What you pay before then"
    assert said not in told(mailbox, period, "grace_ends_soon")
    terms = make_terms(cast.alice, subject=Subject(covers="premium", coverage=period.coverage), members=())
    enrollment = enrolled(cast.alice, terms)
    AutopayCharge.objects.create(
        enrollment=enrollment, household=bill.household, bill=bill, method=enrollment.method,
        amount_cents=bill.amount_cents, due_on=bill.due_on, charge_on=in_days(5),
    )  # fmt: skip
    assert said in told(mailbox, period, "grace_began")
    alice, address = signed_in(cast.alice), f"/premiums/?coverage={period.coverage_id}"
    assert "What you pay before then is not charged again." in text_of(alice.get(address))
    enrollment.status = "suspended"
    enrollment.save()
    assert said not in told(mailbox, period, "grace_ends_soon")
    assert "What you pay before then is not charged again." not in text_of(alice.get(address))
