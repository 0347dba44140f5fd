from functools import partial

from django.db import migrations

from assistance import first_rules


def enter(apps, schema_editor):
    first_rules.enter(partial(apps.get_model, "assistance"))


class Migration(migrations.Migration):

    dependencies = [
        ('assistance', '0001_first'),
    ]

    operations = [
        migrations.RunPython(enter, migrations.RunPython.noop),
    ]
