"""The index that the list of a household's claims walks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("bills", "0010_statements_and_late_charges"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["household", "-service_on", "-id"], name="bills_claim_household_service"),
        ),
    ]
