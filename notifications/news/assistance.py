"""Notices about help with costs, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from accounts.visibility import scope_of
from assistance.models import Application, Award
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of, reader

AHEAD = ("help_ends_soon", "subsidy_ends", "renewal_due")


def of_applications(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by who applied."""
    applicants = dict(
        Application.objects.filter(number__in={name_of(notice) for notice in notices}).values_list(
            "number", "applicant_id"
        )
    )
    return {
        notice.pk: News(reverse("application", args=[name_of(notice)]))
        if applicants.get(name_of(notice)) == notice.user_id
        else NotToBeSent("the application is not the user's")
        for notice in notices
    }


def of_awards(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by who applied, of a bill by whose it is; that it ends soon is not told of what has ended."""
    awards = Award.objects.select_related("application", "coverage").in_bulk([int(name_of(each)) for each in notices])
    found: dict[int, Looked] = {}
    for notice in notices:
        award = awards.get(int(name_of(notice)))
        about = award.coverage.subscriber_id if award is not None and award.coverage is not None else notice.member_id
        is_own_bill = notice.member_id is not None and notice.member_id in scope_of(reader(notice)).own_ids
        if award is None or not (award.application.applicant_id == notice.user_id or is_own_bill):
            found[notice.pk] = NotToBeSent("the award is not the user's")
        elif notice.kind in AHEAD and (award.revoked_at is not None or award.is_succeeded):
            found[notice.pk] = NotToBeSent("it has ended already, or goes on")
        elif about is not None and about not in scope_of(reader(notice)).member_ids:
            found[notice.pk] = NotToBeSent("the bill or premium is not the user's to see")
        else:
            found[notice.pk] = News(_page(notice.kind, award))
    return found


def _page(kind: str, award: Award) -> str:
    """Where it is read: that help was ended on the application, beside the letter that says why."""
    if kind == "help_ended":
        return reverse("application", args=[award.application.number])
    return reverse("overpaid" if kind == "help_credit" else "assistance")
