"""The private side of a member, and from which age somebody may consent to what."""

import billing_portal.triggers
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from accounts.consent_rules import first_rules


def enter_rules(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The rules as they stand at first."""
    rule = apps.get_model("accounts", "ConsentRule")
    rule.objects.bulk_create(rule(**values) for values in first_rules())


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_codes_of_enrolment'),
        ('ledger', '0007_accounts_under_their_owners'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(blank=True, max_length=2)),
                ('kind', models.CharField(blank=True, choices=[('mental_health', 'Mental and behavioral health'), ('substance_use', 'Substance use'), ('reproductive', 'Sexual and reproductive health'), ('sti', 'Sexually transmitted infections'), ('gender_affirming', 'Gender-affirming care'), ('violence', 'Sexual assault and intimate partner violence'), ('restricted', 'Restricted for another reason')], max_length=16)),
                ('from_age', models.PositiveSmallIntegerField()),
                ('effective_from', models.DateField()),
                ('source', models.CharField(max_length=200)),
            ],
        ),
        migrations.AddField(
            model_name='member',
            name='private_of',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='private_side', to='accounts.member'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='private_side_of_ones_own', sql=billing_portal.triggers.FirmSql(condition='WHEN (NEW.private_of_id IS NOT NULL)', constraint='CONSTRAINT', func="\n            IF NOT EXISTS (\n                SELECT FROM accounts_member side JOIN accounts_member person ON person.id = side.private_of_id\n                WHERE side.id = NEW.id AND person.private_of_id IS NULL AND person.household_id = side.household_id\n                  AND NOT EXISTS (SELECT FROM accounts_member other WHERE other.private_of_id = side.id)\n            ) THEN\n                RAISE EXCEPTION 'a private side is of a person of the same household'\n                  USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_member_private_side_of_ones_own';\n            END IF;\n            RETURN NULL;\n        ", hash='6c87fb90bac5b51cc1fd222b6660be6e2b8fccc1', operation='INSERT OR UPDATE', pgid='pgtrigger_private_side_of_ones_own_e5b27', table='accounts_member', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='private_side_goes_along', sql=billing_portal.triggers.FirmSql(condition='WHEN (NEW.household_id <> OLD.household_id)', constraint='CONSTRAINT', func="\n            IF EXISTS (\n                SELECT FROM accounts_member side JOIN accounts_member person ON person.id = side.private_of_id\n                WHERE person.id = NEW.id AND person.household_id <> side.household_id\n            ) THEN\n                RAISE EXCEPTION 'a private side is of a person of the same household'\n                  USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_member_private_side_of_ones_own';\n            END IF;\n            RETURN NULL;\n        ", hash='e0c5a54e08f89b85c1fa3c87feab538c3d031d03', operation='UPDATE', pgid='pgtrigger_private_side_goes_along_fa564', table='accounts_member', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(('private_of__isnull', True), models.Q(('confidential_since__isnull', False), ('is_primary_holder', False)), _connector='OR'), name='accounts_member_private_side_is_confidential'),
        ),
        migrations.AddConstraint(
            model_name='consentrule',
            constraint=models.UniqueConstraint(fields=('state', 'kind', 'effective_from'), name='accounts_consentrule_once'),
        ),
        migrations.AddConstraint(
            model_name='consentrule',
            constraint=models.CheckConstraint(condition=models.Q(('from_age__lte', 18)), name='accounts_consentrule_of_minors'),
        ),
        migrations.RunPython(enter_rules, migrations.RunPython.noop),
    ]
