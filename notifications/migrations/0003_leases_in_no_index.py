"""Leases of notices in a column of no index, in pages with room for them; the key in one index in place of two."""

from django.db import migrations, models

TABLE = "notifications_notification"


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0002_preferences_channels_and_reminders"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("dedupe_key",), name="notifications_told_once"),
        ),
        migrations.AlterField(
            model_name="notification",
            name="dedupe_key",
            field=models.CharField(max_length=120),
        ),
        migrations.AddField(
            model_name="notification",
            name="leased_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        # For pages filled from now on: half is left for the claims of the other half.
        migrations.RunSQL(
            f"ALTER TABLE {TABLE} SET (fillfactor = 50)", f"ALTER TABLE {TABLE} RESET (fillfactor)"
        ),
    ]
