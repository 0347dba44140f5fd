"""What the plan's money did in each month, a row a month."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0016_autopay_run'),
    ]

    operations = [
        migrations.CreateModel(
            name='MonthFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(unique=True)),
                ('billed_cents', models.BigIntegerField()),
                ('received_cents', models.BigIntegerField()),
                ('assisted_cents', models.BigIntegerField()),
                ('given_up_cents', models.BigIntegerField()),
                ('open_cents', models.BigIntegerField(blank=True, null=True)),
                ('past_due_cents', models.BigIntegerField(blank=True, null=True)),
                ('on_plan_cents', models.BigIntegerField(blank=True, null=True)),
                ('on_hold_cents', models.BigIntegerField(blank=True, null=True)),
                ('kept_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'month',
                'verbose_name_plural': 'money by month',
                'ordering': ['-month'],
            },
        ),
    ]
