from django.db import migrations, models
from django.db.models import Q


def keep_what_stands(apps, schema_editor):
    """What earlier awards made overpaid stays the credit that the member was told of."""
    apps.get_model("assistance", "AwardedBill").objects.update(refunded_cents=0)


class Migration(migrations.Migration):

    dependencies = [
        ('assistance', '0002_first_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='awardedbill',
            name='refunded_cents',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(keep_what_stands, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='awardedbill',
            constraint=models.CheckConstraint(condition=Q(('refunded_cents__isnull', True), ('refunded_cents__gte', 0), _connector='OR'), name='assistance_awardedbill_refunded'),
        ),
        migrations.AddIndex(
            model_name='awardedbill',
            index=models.Index(condition=Q(('refunded_cents__isnull', True)), fields=['id'], name='assistance_to_refund'),
        ),
    ]
