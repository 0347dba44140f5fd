"""Notices about payment methods, mandates and shares, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of
from payments.models import Mandate, MethodShare, PaymentMethod


def of_methods(notices: Sequence[Notification]) -> dict[int, Looked]:
    methods = {
        (str(method.pk), method.user_id): method
        for method in PaymentMethod.objects.filter(pk__in=[name_of(notice) for notice in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        method = methods.get((name_of(notice), notice.user_id or 0))
        if method is None or (method.removed_at is not None and notice.kind != "method_removed"):
            found[notice.pk] = NotToBeSent("the method is gone")
        else:
            found[notice.pk] = News(reverse("payment_methods"))
    return found


def of_mandates(notices: Sequence[Notification]) -> dict[int, Looked]:
    """The copy of what was agreed to (Reg E 12 CFR 1005.10(b)): true whatever has become of the account since."""
    given = {
        (str(mandate.pk), mandate.user_id): mandate
        for mandate in Mandate.objects.filter(pk__in=[name_of(notice) for notice in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        mandate = given.get((name_of(notice), notice.user_id or 0))
        if mandate is None:
            found[notice.pk] = NotToBeSent("the mandate is another's")
        else:
            found[notice.pk] = News(reverse("payment_methods"), text=mandate.text)
    return found


def of_shares(notices: Sequence[Notification]) -> dict[int, Looked]:
    holding = dict(
        MethodShare.objects.in_force()
        .filter(pk__in=[name_of(notice) for notice in notices])
        .values_list("pk", "member__user_id")
    )
    return {
        notice.pk: News(reverse("payment_methods"))
        if holding.get(int(name_of(notice))) == notice.user_id
        else NotToBeSent("the share has ended")
        for notice in notices
    }
