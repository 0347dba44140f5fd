"""When a bill came to a private side; those that stood there in an account of the holder's side are put right."""

from django.db import migrations, models

PUT_BELOW = """
    UPDATE ledger_account a SET control_id = m.medical_control_id
      FROM bills_bill b JOIN accounts_member m ON m.id = b.member_id
     WHERE b.receivable_id = a.id AND m.private_of_id IS NOT NULL AND b.kind = 'medical'
       AND a.control_id <> m.medical_control_id
"""
MARK = """
    UPDATE bills_bill b SET moved_aside_at = now()
      FROM accounts_member m, ledger_account a
     WHERE m.id = b.member_id AND m.private_of_id IS NOT NULL AND b.kind = 'medical' AND a.id = b.receivable_id
       AND a.control_id <> m.medical_control_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ("bills", "0012_bills_set_apart"),
        ("accounts", "0010_private_sides"),
        ("ledger", "0008_regrouping"),
    ]

    operations = [
        migrations.AddField(
            model_name="bill", name="moved_aside_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
        migrations.RunSQL(PUT_BELOW, migrations.RunSQL.noop),
    ]
