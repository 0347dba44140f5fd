"""Notices of the coverage clock, as things stand now."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from bills.models import GracePeriod
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of
from payments import grace
from payments.models import AutopayCharge, AutopayEnrollment

TRUE_IN = {
    "grace_began": {GracePeriod.Status.OPEN},
    "grace_ends_soon": {GracePeriod.Status.OPEN},
    "grace_cured": {GracePeriod.Status.CURED},
    "coverage_ended": {GracePeriod.Status.ENDED},
}


def of_grace(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by the subscriber and, where the subscriber is not confidential, the primary holder.

    Not sent any more: what was cured meanwhile, and what began anew, which has a notice of its own.
    """
    periods = GracePeriod.objects.select_related("coverage__subscriber", "coverage__household", "rule").in_bulk(
        {int(name_of(notice)) for notice in notices}
    )
    holders = dict(
        Member.objects.filter(
            household_id__in={found.coverage.household_id for found in periods.values()}, is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    today = timezone.localdate()
    planned = _planned({found.coverage_id for found in periods.values()})
    standings = grace.standings({found.coverage for found in periods.values()}, today=today)
    found: dict[int, Looked] = {}
    for notice in notices:
        period = periods.get(int(name_of(notice)))
        standing = standings.get(period.coverage_id) if period else None
        if period is None or standing is None:
            found[notice.pk] = NotToBeSent("the coverage has no premium any more")
            continue
        subscriber = period.coverage.subscriber
        is_holders = holders.get(period.coverage.household_id) == notice.user_id and not subscriber.is_confidential
        is_running = period.status == GracePeriod.Status.OPEN
        if subscriber.user_id != notice.user_id and not is_holders:
            found[notice.pk] = NotToBeSent("the coverage is not the user's to hear of")
        elif period.status not in TRUE_IN.get(notice.kind, GracePeriod.Status.values):
            found[notice.pk] = NotToBeSent("the grace period is no longer as the notice says")
        elif is_running and grace.is_cured(period, standing.months, today=today):
            found[notice.pk] = NotToBeSent("the premium is paid, or its payment on its way")
        else:
            cents = standing.clock.cure_cents if is_running else None
            planned_on = planned.get((period.coverage_id, notice.user_id)) if is_running else None
            found[notice.pk] = _news(period, cents, planned_on)
    return found


def _planned(coverage_ids: Collection[int]) -> dict[tuple[int, int | None], dt.date]:
    """The next day on which autopay charges a premium of each of these coverages, and of whom."""
    charges = AutopayCharge.objects.filter(
        status__in=(AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.QUEUED), bill__coverage__in=coverage_ids,
        enrollment__status=AutopayEnrollment.Status.ACTIVE,
    ).order_by("-charge_on", "-pk")  # fmt: skip
    rows = charges.values_list("bill__coverage_id", "enrollment__user_id", "charge_on")
    return {(coverage_id, user_id): day for coverage_id, user_id, day in rows if coverage_id is not None}


def _news(period: GracePeriod, amount_cents: int | None, planned_on: dt.date | None) -> News:
    on = period.cover_ends_on if period.status == GracePeriod.Status.ENDED else period.ends_on
    return News(f"{reverse('premiums')}?coverage={period.coverage_id}", on, amount_cents, autopay_on=planned_on)
