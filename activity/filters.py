"""Filters that the staff's worklists have in common: what waits first, and how long it has waited."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone


class StateFilter(admin.SimpleListFilter):
    """A state of which the unfiltered one is what waits, and is called so."""

    title = "state"
    parameter_name = "state"
    unfiltered: ClassVar[str]

    def choices(self, changelist: Any) -> Any:
        """Names the unfiltered state instead of "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | ({"display": self.unfiltered} if number == 0 else {})


class AgeFilter(admin.SimpleListFilter):
    """How long something has waited since a moment of its own."""

    title = "age"
    parameter_name = "age"
    since: ClassVar[str]
    choices_in_days: ClassVar[Mapping[str, int]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Older than so many days."""
        return [(key, f"Over {key} day{'s' if key != '1' else ''}") for key in self.choices_in_days]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Filter by what was chosen."""
        days = self.choices_in_days.get(self.value() or "")
        return queryset.filter(**{f"{self.since}__lt": timezone.now() - dt.timedelta(days=days)}) if days else queryset
