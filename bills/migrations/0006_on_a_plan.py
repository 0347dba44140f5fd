"""Bills know that they are paid by instalments: nothing reminds of them or charges them otherwise."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bills", "0005_canceled_with_one_l")]

    operations = [
        migrations.AddField(model_name="bill", name="on_plan_since", field=models.DateTimeField(blank=True, null=True)),
    ]
