from django.db import migrations


class Migration(migrations.Migration):
    """Tell the planner that the accounts below a control account are all of one owner.

    Without, it expects next to none of them among an owner's, and reads all that is open to find the first few.
    """

    dependencies = [
        ('ledger', '0006_batches_lock_as_they_update'),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE STATISTICS ledger_account_whose (dependencies) ON owner_id, control_id FROM ledger_account',
            'DROP STATISTICS ledger_account_whose',
        ),
    ]
