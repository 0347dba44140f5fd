from django.db import migrations


class Migration(migrations.Migration):
    """Tell the planner that a member's bills are all of one household, and a coverage's mostly of one member.

    Without, it multiplies the shares, expects next to no bills of a household with thousands, and sorts them all for a
    page of 25.
    """

    dependencies = [
        ('bills', '0003_import_batches_in_words'),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE STATISTICS bills_bill_whose (dependencies) ON household_id, member_id, coverage_id FROM bills_bill',
            'DROP STATISTICS bills_bill_whose',
        ),
    ]
