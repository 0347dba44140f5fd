"""An award follows the corrections of its bills: each row says up to which."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the mark. 0: every correction that stands is looked at once."""

    dependencies = [("assistance", "0003_refunds_of_awards")]

    operations = [
        migrations.AddField(
            model_name="awardedbill",
            name="corrected_by_id",
            field=models.BigIntegerField(default=0),
        ),
    ]
