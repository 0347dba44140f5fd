"""A holder leaves: who holds the account next, and the day on which an account closes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0010_private_sides"),
    ]

    operations = [
        migrations.AddField("household", "closed_on", models.DateField(blank=True, null=True)),
        migrations.AddField("departure", "accepted_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "departure",
            "successor",
            models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="successions",
                to="accounts.member",
            ),
        ),
        migrations.AddConstraint(
            "departure",
            models.CheckConstraint(
                condition=models.Q(("successor__isnull", True), models.Q(("successor", models.F("member")), _negated=True), _connector="OR"),
                name="accounts_departure_successor_is_another",
            ),
        ),
        migrations.AddConstraint(
            "departure",
            models.CheckConstraint(
                condition=models.Q(("accepted_at__isnull", True), ("successor__isnull", False), _connector="OR"),
                name="accounts_departure_accepted_by_somebody",
            ),
        ),
    ]
