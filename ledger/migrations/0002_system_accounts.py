"""Open the plan's own accounts, with their fixed ids; households' accounts begin above them."""

from django.db import migrations

from ledger.chart import FIRST_HOUSEHOLD_ACCOUNT_ID, SYSTEM_ACCOUNT_IDS, SYSTEM_ACCOUNT_TYPES, SystemAccount


def open_accounts(apps, schema_editor):
    account_model = apps.get_model("ledger", "Account")
    for account in SystemAccount:
        account_model.objects.create(
            id=SYSTEM_ACCOUNT_IDS[account], type=SYSTEM_ACCOUNT_TYPES[account], code=account.value, is_tracked=False
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_accounts_and_transfers")]

    operations = [
        migrations.RunPython(open_accounts, migrations.RunPython.noop),
        migrations.RunSQL(
            f"SELECT setval(pg_get_serial_sequence('ledger_account', 'id'), {FIRST_HOUSEHOLD_ACCOUNT_ID}, false)",
            migrations.RunSQL.noop,
        ),
    ]
