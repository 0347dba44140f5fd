"""Coverages that have charitable coverage by an award have it from the award's first day on."""

from django.db import migrations
from django.db.models import Min, OuterRef, Subquery


def set_starts(apps, schema_editor):
    """From the first award of each; what earlier months were given stands."""
    awards = apps.get_model("assistance", "Award").objects.filter(coverage=OuterRef("pk"), kind="charitable")
    first = awards.order_by().values("coverage").annotate(first=Min("start_on")).values("first")
    apps.get_model("accounts", "Coverage").objects.filter(charitable_cents__gt=0).update(
        charitable_starts_on=Subquery(first)
    )


class Migration(migrations.Migration):
    """Fill in the day that accounts.0013 added."""

    dependencies = [("assistance", "0004_awards_follow_corrections"), ("accounts", "0013_charitable_starts")]

    operations = [migrations.RunPython(set_starts, migrations.RunPython.noop)]
