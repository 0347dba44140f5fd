"""Questions to Member Services."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0006_confidential_looks'),
    ]

    operations = [
        migrations.AlterField(
            model_name='workitem',
            name='kind',
            field=models.CharField(choices=[('payment_unknown', 'Payment outcome unknown past its deadline'), ('payment_conflict', 'Payment and provider disagree'), ('unexpected_money', 'Money that no bill could take'), ('refund_failed', 'Refund failed'), ('refund_outside', 'Refund made outside the portal'), ('dispute', 'Dispute'), ('webhook_parked', 'Webhook that could not be worked off'), ('import_review', 'Imported record that does not add up'), ('ledger', 'The book does not hold'), ('second_claim', 'A second person claims to be a member'), ('suspense', 'Money at Stripe that nothing here explains'), ('payment_frozen', 'Frozen payment: unknown at Stripe'), ('reconciliation', "Stripe's books and ours differ"), ('bank_debit_late', 'Bank payment on its way for too long'), ('lockbox', 'Paper check that names no bill or household'), ('check_returned', 'Paper check returned by the bank'), ('refund_approval', 'Refund that waits for a second person'), ('inquiry', 'Question of a member'), ('guest_pay', 'Guest pay: somebody tries numbers or cards'), ('confidential_look', 'Staff opened a confidential record')], max_length=20),
        ),
    ]
