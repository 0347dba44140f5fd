"""Estimates, claims that are not decided yet, and the codes that a payer remarks with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_paperless_by_document'),
        ('bills', '0007_on_hold'),
        ('ledger', '0007_accounts_under_their_owners'),
    ]

    operations = [
        migrations.CreateModel(
            name='Estimate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60)),
                ('provider_name', models.CharField(max_length=200)),
                ('service_on', models.DateField()),
                ('issued_on', models.DateField()),
                ('amount_cents', models.BigIntegerField()),
                ('source', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name='claim',
            name='remark_codes',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AlterField(
            model_name='claim',
            name='status',
            field=models.CharField(choices=[('active', 'Processed'), ('open', 'Not decided yet'), ('replaced', 'Replaced by a corrected claim'), ('canceled', 'Canceled')], default='active', max_length=8),
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(condition=models.Q(('kind', 'medical')), fields=['member', 'service_on'], name='bills_bill_member_service'),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['id'], name='bills_claim_open'),
        ),
        migrations.AddField(
            model_name='estimate',
            name='bills',
            field=models.ManyToManyField(blank=True, related_name='estimates', to='bills.bill'),
        ),
        migrations.AddField(
            model_name='estimate',
            name='household',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.household'),
        ),
        migrations.AddField(
            model_name='estimate',
            name='member',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='estimates', to='accounts.member'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='bills_estimate_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.UniqueConstraint(fields=('source', 'number', 'provider_name'), name='bills_estimate_once_a_provider'),
        ),
    ]
