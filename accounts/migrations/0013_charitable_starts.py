"""From when charitable coverage holds: what months before it were given stands."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the day. Empty: since the coverage began."""

    dependencies = [("accounts", "0012_where_letters_go")]

    operations = [
        migrations.AddField(
            model_name="coverage",
            name="charitable_starts_on",
            field=models.DateField(blank=True, null=True),
        ),
    ]
