"""Statements as they were issued, the terms of charges for paying late, and each charge."""

import billing_portal.triggers
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from bills.charge_rules import FIRST_RULES, SINCE


def first_rules(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The terms as they stand at first: nothing is charged."""
    rule = apps.get_model("bills", "ChargeRule")
    rule.objects.bulk_create(rule(effective_from=SINCE, **values) for values in FIRST_RULES)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_files_of_members'),
        ('bills', '0009_coverage_clock'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChargeRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(max_length=2)),
                ('effective_from', models.DateField()),
                ('rate_bp', models.PositiveIntegerField(default=0)),
                ('late_fee_cents', models.PositiveIntegerField(default=0)),
                ('cap_rate_bp', models.PositiveIntegerField()),
                ('cap_late_fee_cents', models.PositiveIntegerField()),
                ('after_days', models.PositiveSmallIntegerField(default=0)),
                ('source', models.CharField(max_length=200)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('state', 'effective_from'), name='bills_chargerule_once'), models.CheckConstraint(condition=models.Q(('late_fee_cents__lte', models.F('cap_late_fee_cents')), ('rate_bp__lte', models.F('cap_rate_bp'))), name='bills_chargerule_within_cap'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('state', 'NY'), _negated=True), ('cap_rate_bp__lte', 200), _connector='OR'), models.Q(models.Q(('state__in', ['CO', 'VA']), _negated=True), ('cap_rate_bp__lte', 300), _connector='OR'), models.Q(models.Q(('state', 'VA'), _negated=True), ('after_days__gte', 90), _connector='OR'), models.Q(models.Q(('state', 'WA'), _negated=True), ('cap_rate_bp__lte', 900), _connector='OR'), models.Q(models.Q(('state', 'OR'), _negated=True), ('cap_rate_bp__lte', 500), _connector='OR'), models.Q(models.Q(('state__in', ['CA', 'MD']), _negated=True), models.Q(('cap_late_fee_cents', 0), ('cap_rate_bp', 0)), _connector='OR')), name='bills_chargerule_caps_of_the_law')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('month', models.DateField()),
                ('issued_on', models.DateField()),
                ('due_on', models.DateField(blank=True, null=True)),
                ('previous_cents', models.BigIntegerField()),
                ('charges_cents', models.BigIntegerField()),
                ('payments_cents', models.BigIntegerField()),
                ('adjustments_cents', models.BigIntegerField()),
                ('corrections_cents', models.BigIntegerField()),
                ('balance_cents', models.BigIntegerField()),
                ('due_cents', models.BigIntegerField()),
                ('content', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='accounts.household')),
                ('member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='accounts.member')),
            ],
        ),
        migrations.CreateModel(
            name='StatementOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='openings', to='bills.statement')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='FinanceCharge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('interest', 'Interest'), ('late_fee', 'Late fee')], max_length=8)),
                ('month', models.DateField()),
                ('rate_bp', models.PositiveIntegerField(default=0)),
                ('base_cents', models.BigIntegerField()),
                ('amount_cents', models.BigIntegerField()),
                ('charged_on', models.DateField()),
                ('waived_at', models.DateTimeField(blank=True, null=True)),
                ('waived_reason', models.CharField(blank=True, max_length=500)),
                ('bill', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='finance_charges', to='bills.bill')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='bills.chargerule')),
                ('waived_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bill', 'month', 'kind'), name='bills_financecharge_once_a_month'), models.UniqueConstraint(condition=models.Q(('kind', 'late_fee')), fields=('bill',), name='bills_financecharge_one_late_fee'), models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='bills_financecharge_positive'), models.CheckConstraint(condition=models.Q(('kind', 'late_fee'), ('amount_cents__lte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('base_cents'), '*', models.F('rate_bp')), '/', models.Value(120000))), _connector='OR'), name='bills_financecharge_within_rate')],
            },
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.UniqueConstraint(fields=('household', 'member', 'month'), name='bills_statement_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.CheckConstraint(condition=models.Q(('balance_cents', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('previous_cents'), '+', models.F('charges_cents')), '-', models.F('payments_cents')), '-', models.F('adjustments_cents')), '+', models.F('corrections_cents')))), name='bills_statement_adds_up'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statement',
            trigger=pgtrigger.compiler.Trigger(name='stands_as_issued', sql=billing_portal.triggers.FirmSql(func="RAISE EXCEPTION 'a statement stands as it was issued' USING ERRCODE = 'restrict_violation';", hash='203ff09dabe303de35811d3f4c5aa3df323ea8a7', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_stands_as_issued_5780a', table='bills_statement', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='statementopening',
            constraint=models.UniqueConstraint(fields=('statement', 'user'), name='bills_statementopening_once'),
        ),
        migrations.RunPython(first_rules, migrations.RunPython.noop),
    ]
