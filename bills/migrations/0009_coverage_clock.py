"""How long a premium may be late, by product, state and day; and every grace period that began."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from bills.grace_rules import FIRST_RULES, SINCE


def first_rules(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The rules as they stand at first."""
    rule = apps.get_model("bills", "GraceRule")
    rule.objects.bulk_create(rule(effective_from=SINCE, **values) for values in FIRST_RULES)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_paperless_by_document'),
        ('bills', '0008_estimates_and_open_claims'),
    ]

    operations = [
        migrations.CreateModel(
            name='GraceRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product', models.CharField(choices=[('marketplace', 'Marketplace plan with a premium tax credit'), ('individual', 'Individual or family plan'), ('medicare_advantage', 'Medicare Advantage'), ('medicare_part_d', 'Medicare Part D'), ('medigap', 'Medigap'), ('cobra_first', 'COBRA, first payment'), ('cobra', 'COBRA'), ('charitable', 'Charitable coverage')], max_length=18)),
                ('state', models.CharField(blank=True, max_length=2)),
                ('counts_from', models.CharField(choices=[('due', 'from the due date'), ('month', 'from the first of the unpaid month'), ('bill', 'from the first of the unpaid month, or of the month after the bill if later'), ('notice', 'from the notice of the start of the grace period'), ('start', 'from the start of the coverage')], max_length=6)),
                ('months', models.PositiveSmallIntegerField(default=0)),
                ('days', models.PositiveSmallIntegerField(default=0)),
                ('cover_ends', models.CharField(choices=[('first_month', 'on the last day of the first month of grace'), ('paid_through', 'on the last day that is paid for'), ('grace_end', 'on the last day of grace')], max_length=12)),
                ('claims_wait_from_month', models.PositiveSmallIntegerField(default=0)),
                ('needs_all', models.BooleanField(default=False)),
                ('shortfall_cents', models.BigIntegerField(default=0)),
                ('shortfall_percent', models.PositiveSmallIntegerField(default=0)),
                ('effective_from', models.DateField()),
                ('source', models.CharField(max_length=200)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'state', 'effective_from'), name='bills_gracerule_once'), models.CheckConstraint(condition=models.Q(('months__gt', 0), ('days__gt', 0), _connector='OR'), name='bills_gracerule_lasts'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('product', 'marketplace'), _negated=True), models.Q(('months__gte', 3), ('needs_all', True)), _connector='OR'), models.Q(models.Q(('product__startswith', 'medicare'), _negated=True), ('months__gte', 2), _connector='OR'), models.Q(models.Q(('product', 'cobra'), _negated=True), ('days__gte', 30), ('months__gte', 1), _connector='OR'), models.Q(models.Q(('product', 'cobra_first'), _negated=True), ('days__gte', 45), _connector='OR'), models.Q(models.Q(('product', 'individual'), ('state', 'CA'), _negated=True), models.Q(('counts_from', 'notice'), ('days__gte', 30)), _connector='OR')), name='bills_gracerule_not_below_the_law'), models.CheckConstraint(condition=models.Q(models.Q(('shortfall_cents', 0), ('shortfall_percent', 0)), models.Q(('shortfall_cents__gt', 0), ('shortfall_percent__range', (1, 10))), _connector='OR'), name='bills_gracerule_shortfall_both')],
            },
        ),
        migrations.CreateModel(
            name='GracePeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.DateField()),
                ('status', models.CharField(choices=[('open', 'In grace'), ('cured', 'Paid in time'), ('ended', 'Coverage ended')], default='open', max_length=5)),
                ('times', models.PositiveSmallIntegerField(default=1)),
                ('began_on', models.DateField()),
                ('noticed_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('cover_ends_on', models.DateField()),
                ('claims_wait_from', models.DateField(blank=True, null=True)),
                ('due_cents', models.BigIntegerField()),
                ('warned_on', models.DateField(blank=True, null=True)),
                ('closed_on', models.DateField(blank=True, null=True)),
                ('coverage', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grace_periods', to='accounts.coverage')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='bills.gracerule')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'open')), fields=['ends_on'], name='bills_graceperiod_running')],
                'constraints': [models.UniqueConstraint(fields=('coverage', 'period'), name='bills_graceperiod_once'), models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('coverage',), name='bills_graceperiod_one_open'), models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('noticed_on'))), name='bills_graceperiod_ends_after_notice'), models.CheckConstraint(condition=models.Q(models.Q(('closed_on__isnull', True), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('closed_on__isnull', False)), _connector='OR'), name='bills_graceperiod_closed_has_day')],
            },
        ),
        migrations.RunPython(first_rules, migrations.RunPython.noop),
    ]
