"""The letters of an application: received, what is missing, decision and why, appeal, end of help. Each is an event's.

What happened is append-only, so a letter that was written can be had again as it was (payments.papers lists them).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from accounts.visibility import Scope
from activity.models import Event
from assistance import charity
from assistance.models import Application, Award, Determination, MissingItem
from payments.papers import Kind, Paper

MAX_APPLICATIONS = 50
MAX_LETTERS = 50  # of one application
SAME_MOMENT = dt.timedelta(minutes=1)  # what was written in the transaction of the event


class About(models.TextChoices):
    """What a letter says: by the status that the application came to."""

    SUBMITTED = "submitted", _("We received your application")
    MISSING = "missing", _("Your application lacks something")
    APPROVED = "approved", _("Your application is approved")
    DENIED = "denied", _("Your application is not approved")
    APPEALED = "appealed", _("We received your appeal")
    UPHELD = "upheld", _("Your appeal was decided: not approved")
    ENDED = "ended", _("Your help was ended")


GIVEN = ("award.given", "charitable.given")
ENDED = ("award.revoked", "charitable.ended")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, of one event of an application."""

    application: Application
    event: Event

    @property
    def about(self) -> About:
        """What it says."""
        return About.ENDED if self.event.kind in ENDED else About(self.event.to_status)

    @property
    def on(self) -> dt.date:
        """Its date."""
        return timezone.localdate(self.event.at)

    @property
    def is_completed(self) -> bool:
        """Whether what had been missing has come."""
        return self.event.from_status == About.MISSING

    @property
    def decide_by(self) -> dt.date | None:
        """By when we decide, as long as that has not changed since."""
        application = self.application
        is_latest = application.complete_at is not None and abs(application.complete_at - self.event.at) < SAME_MOMENT
        return application.decide_by if is_latest else None

    @property
    def missing(self) -> list[MissingItem]:
        """What was asked for with this letter."""
        asked = (self.event.at - SAME_MOMENT, self.event.at + SAME_MOMENT)
        return list(self.application.missing_items.filter(asked_at__range=asked))

    @property
    def determination(self) -> Determination | None:
        """The figures that the decision rests on."""
        made = self.application.determinations.filter(made_at__lte=self.event.at + SAME_MOMENT)
        return made.order_by("-pk").first()

    @property
    def reason(self) -> str:
        """Why it was not approved, as staff wrote it to the applicant."""
        return self.event.reason or self.application.reason

    @property
    def awards(self) -> list[Award]:
        """What was given, as it was given: an end that was set since is another letter's."""
        awards = list(self.application.awards.select_related("coverage__plan").order_by("pk"))
        for award in awards:
            award.end_on = _end_as_given(award)
        return awards

    @property
    def ended(self) -> Award | None:
        """What was ended, with its last day."""
        awards = self.application.awards.select_related("coverage__plan")
        award = awards.filter(pk=self.event.data.get("award_id")).first() if self.event.kind in ENDED else None
        if award is not None:
            award.end_on = _day(self.event, "end_on") or (award.end_on if award.coverage_id else self.on)
        return award

    @property
    def address(self) -> str:
        """Where its PDF is."""
        query = urlencode({"letter": self.event.pk})
        return f"{reverse('application_letter', args=[self.application.number])}?{query}"


def _end_as_given(award: Award) -> dt.date:
    """The last day that an award was made with: in its event; before events said so, a charitable one had a year."""
    event = Event.objects.filter(subject=f"award:{award.pk}", kind__in=GIVEN).first()
    told = _day(event, "end_on") if event is not None else None
    return told or (charity.year_from(award.start_on) if award.coverage_id else award.end_on)


def _day(event: Event, name: str) -> dt.date | None:
    told = event.data.get(name)
    return dt.date.fromisoformat(told) if told else None


def of(application: Application) -> list[Letter]:
    """The letters of an application, the latest first; none about a premium that is no more the applicant's to see."""
    seen = application.awards.visible_to(application.applicant)
    awards = [f"award:{pk}" for pk in seen.values_list("pk", flat=True)]
    events = Event.objects.filter(
        Q(subject=f"application:{application.number}", kind__in=[f"application.{about}" for about in About.values])
        | Q(subject__in=awards, kind__in=ENDED)
    )
    return [Letter(application, event) for event in events.order_by("-pk")[:MAX_LETTERS]]


def papers(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    """The letters of a year of the viewer's own applications, for the list of documents."""
    mine = Application.objects.visible_to(scope).exclude(submitted_at=None).order_by("-pk")
    for application in mine.prefetch_related("members")[:MAX_APPLICATIONS]:
        members = application.members.all()
        if person is not None and person not in members:
            continue
        people = tuple(member.full_name for member in members)
        for letter in of(application):
            if letter.on.year == year:
                address = letter.address
                yield Paper(
                    Kind.LETTER, str(letter.about.label), application.number, letter.on, people, address, address
                )
