"""What became of overpaid money by a member's wish."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Household
from bills.models import Bill
from payments.models.taken_back import Refund


class CreditMove(models.Model):
    """Part of what was overpaid, put to another bill of the household or asked back, US cents.

    `source_id` is the transfer that made it household credit: a ledger row, so no foreign key (decision 0001).
    """

    household = models.ForeignKey(Household, models.PROTECT, related_name="credit_moves")
    source_id = models.BigIntegerField()
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="+")
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, blank=True, related_name="credit_move")
    amount_cents = models.BigIntegerField()
    form_key = models.CharField(max_length=40)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_creditmove_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payments_creditmove_one_end",
                condition=Q(bill__isnull=False, refund__isnull=True) | Q(bill__isnull=True, refund__isnull=False),
            ),
            models.UniqueConstraint(name="payments_creditmove_form_once", fields=["household", "form_key"]),
        ]

    def __str__(self) -> str:
        return f"credit move {self.pk}"
