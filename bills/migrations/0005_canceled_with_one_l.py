from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('bills', '0004_whose_bills_they_are'),
    ]

    operations = [
        migrations.AlterField(
            model_name='claim',
            name='status',
            field=models.CharField(
                choices=[
                    ('active', 'Processed'),
                    ('replaced', 'Replaced by a corrected claim'),
                    ('canceled', 'Canceled'),
                ],
                default='active',
                max_length=8,
            ),
        ),
    ]
