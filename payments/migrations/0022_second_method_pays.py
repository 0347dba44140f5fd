from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0021_instalments_told'),
    ]

    operations = [
        migrations.AlterField(
            model_name='autopayproblem',
            name='code',
            field=models.CharField(choices=[('method_removed', 'Payment method removed'), ('method_blocked', 'Payment method stopped by a bank'), ('method_unverified', 'Bank account not verified'), ('mandate_lost', 'Authorization to debit missing or ended'), ('share_ended', 'Payment method no longer shared'), ('card_expires', 'Card expires before the next charge'), ('second_pays', 'First method cannot be charged: the second one pays meanwhile'), ('coverage_ended', 'Coverage has ended'), ('coverage_replaced', 'New coverage without autopay'), ('above_limit', "Premium above the member's limit"), ('not_payable', 'Member left or is no longer seen')], max_length=20),
        ),
    ]
