"""A refund that the provider answered with a stored 5xx is asked for again with another key (FAULTS B04)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_undecided_where_asked")]

    operations = [
        migrations.AddField(
            model_name="refund", name="attempt", field=models.PositiveSmallIntegerField(db_default=0, default=0)
        ),
    ]
