"""Paper checks: recorded by staff one at a time, or from the files of the bank's lockbox."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Household
from payments.models.payment import Payment


class LockboxFile(models.Model):
    """One file of the bank's lockbox, known by what is in it: the same file again has no second effect."""

    class Status(models.TextChoices):
        TAKING = "taking", "Being taken in"
        FINISHED = "finished", "Finished"
        REFUSED = "refused", "Refused whole"

    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.TAKING)
    message = models.CharField(max_length=300, blank=True)
    checks_read = models.PositiveIntegerField(default=0)
    total_cents = models.BigIntegerField(default=0)
    rejected = models.JSONField(default=list)  # of each row not taken: line, field, rule, reason
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Check(models.Model):
    """A paper check that the plan has, US cents. What it paid are its payments, each of one kind of bill.

    A check that names nothing we know is `unmatched`: its money is in suspense, and a work item waits.
    """

    class Status(models.TextChoices):
        UNMATCHED = "unmatched", _("Not matched")
        POSTED = "posted", _("Posted")
        RETURNED = "returned", _("Returned by the bank")

    number = models.CharField(max_length=20)
    amount_cents = models.BigIntegerField()
    received_on = models.DateField()
    reference = models.CharField(max_length=60, blank=True)  # what the remitter wrote: bill numbers, or a household's
    batch = models.CharField(max_length=30, blank=True)
    identity = models.CharField(max_length=140, unique=True)
    status = models.CharField(max_length=9, choices=Status.choices)
    household = models.ForeignKey(Household, models.PROTECT, null=True, blank=True, related_name="checks")
    file = models.ForeignKey(LockboxFile, models.PROTECT, null=True, blank=True, related_name="checks")
    line = models.PositiveIntegerField(null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    returned_on = models.DateField(null=True, blank=True)
    payments = models.ManyToManyField(Payment, related_name="checks", through="CheckPayment")

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_check_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payments_check_posted_to_somebody",
                condition=Q(status="posted", household__isnull=False) | ~Q(status="posted"),
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.number}"


class CheckPayment(models.Model):
    """What a check paid: one payment is of one check alone."""

    check_record = models.ForeignKey(Check, models.PROTECT, related_name="+")
    payment = models.OneToOneField(Payment, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"payment {self.payment_id} of check {self.check_record_id}"
