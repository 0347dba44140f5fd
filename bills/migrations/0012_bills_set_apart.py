"""The index of the few bills that wait or are on a plan, and what the planner is told of a household's claims."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Without the index, what a household owes was read bill by bill; without the statistics, a page of claims was
    sorted out of all of the household's."""

    dependencies = [
        ("bills", "0011_claims_of_a_household"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="bill",
            index=models.Index(
                fields=["household"],
                name="bills_bill_set_apart",
                condition=models.Q(("held_since__isnull", False), ("on_plan_since__isnull", False), _connector="OR"),
            ),
        ),
        migrations.RunSQL(
            "CREATE STATISTICS bills_claim_whose (dependencies) ON household_id, member_id FROM bills_claim",
            "DROP STATISTICS bills_claim_whose",
        ),
    ]
