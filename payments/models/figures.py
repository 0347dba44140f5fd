"""What the plan's money did in each month, kept so that a page of it costs nothing."""

from typing import ClassVar

from django.db import models


class MonthFigures(models.Model):
    """One month, US cents: what moved in it, and how things stood when it was last looked at (at the latest its end).

    How things stood is not known of months that had ended before anybody kept them: null.
    """

    month = models.DateField(unique=True)  # its first day
    billed_cents = models.BigIntegerField()
    received_cents = models.BigIntegerField()  # less what went back
    assisted_cents = models.BigIntegerField()  # financial assistance, charitable coverage, premium subsidies
    given_up_cents = models.BigIntegerField()  # adjustments and write-offs
    open_cents = models.BigIntegerField(null=True, blank=True)
    past_due_cents = models.BigIntegerField(null=True, blank=True)
    on_plan_cents = models.BigIntegerField(null=True, blank=True)
    on_hold_cents = models.BigIntegerField(null=True, blank=True)
    kept_at = models.DateTimeField()

    objects = models.Manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-month"]
        verbose_name = "month"
        verbose_name_plural = "money by month"

    def __str__(self) -> str:
        return self.month.strftime("%Y-%m")
