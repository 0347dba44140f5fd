"""Who is of staff, and in which roles: changed by an administrator, with a reason, never of oneself."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from accounts.staff import ActionForm, Refused
from activity.recording import record


class AccessForm(ActionForm):
    """The roles a person is to have; none: no longer of staff."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, role.value) for role in Role], required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None: no longer of staff.",
    )  # fmt: skip
    field_order = ("roles", "reason", "key")


def run(by: User, user: User, cleaned: dict[str, Any]) -> str:
    """The page's action. Raises Refused."""
    give(user, roles=cleaned["roles"], by=by, reason=cleaned["reason"])
    return "The roles are changed."


@transaction.atomic
def give(user: User, *, roles: list[str], by: User, reason: str) -> None:
    """Give a person exactly these roles; whoever has one is of staff. The database ends their sessions (FAULTS H13).

    Raises Refused for oneself, and for a superuser.
    """
    if user.pk == by.pk:
        raise Refused("Nobody changes their own roles.")
    if user.is_superuser:
        raise Refused("A superuser's access is not changed here.")
    before = sorted(user.groups.values_list("name", flat=True))
    user.groups.set(Group.objects.filter(name__in=roles))
    User.objects.filter(pk=user.pk).update(is_staff=bool(roles))
    record(
        "user.roles_changed", subject=f"user:{user.pk}", actor=f"user:{by.pk}", reason=reason, before=before,
        after=sorted(roles),
    )  # fmt: skip
