"""Where letters go to who has left a household."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0011_another_holder"),
    ]

    operations = [
        migrations.AddField("departure", "address", models.CharField(blank=True, db_default="", max_length=200)),
        migrations.AddField("departure", "city", models.CharField(blank=True, db_default="", max_length=100)),
        migrations.AddField("departure", "state", models.CharField(blank=True, db_default="", max_length=2)),
        migrations.AddField("departure", "zip", models.CharField(blank=True, db_default="", max_length=5)),
        migrations.AddConstraint(
            "departure",
            models.CheckConstraint(
                name="accounts_departure_address_whole",
                condition=Q(address="", city="", state="", zip="")
                | (~Q(address="") & ~Q(city="") & Q(state__regex=r"^[A-Z]{2}$", zip__regex=r"^[0-9]{5}$")),
            ),
        ),
    ]
