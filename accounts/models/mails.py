"""Mails about the account that wait to be sent."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


class MailQuerySet(models.QuerySet["Mail"]):
    """Mails about the account, and which still wait."""

    def waiting(self) -> Self:
        """Those neither sent nor given up."""
        return self.filter(sent_at__isnull=True, given_up_at__isnull=True)


class Mail(models.Model):
    """A mail about signing in (codes, links, changes), written with what it tells of and sent after commit.

    Its text carries a secret (a code, a link) and is blanked once it is sent or given up.
    """

    address = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                name="accounts_mail_waiting", fields=["id"], condition=Q(sent_at__isnull=True, given_up_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"
