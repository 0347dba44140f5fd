from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0012_guest_pay'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='payment',
            name='payments_payment_undecided',
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('asked_at__isnull', False), ('status__in', ('submitted', 'requires_action', 'processing'))), fields=['asked_at'], name='payments_payment_undecided'),
        ),
    ]
