"""What waits to be sent, in a narrow table of its own; what waits now is put there as it stands."""

import billing_portal.triggers
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

MOVE = """
    INSERT INTO notifications_queued (notification_id, due_at, leased_until, tries, deaths, is_begun)
    SELECT id, next_try_at, leased_until, tries, (reason = 'sent again after its sender died')::int, status = 'sending'
    FROM notifications_notification WHERE status IN ('waiting', 'sending') AND channel <> 'letter'
"""
WAIT = "UPDATE notifications_notification SET status = 'waiting' WHERE status = 'sending'"
# Rows come and go, and a claim writes each beside the old one.
ROOM = """
    ALTER TABLE notifications_queued SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 5000)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_leases_in_no_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='Queued',
            fields=[
                ('notification', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='queued', serialize=False, to='notifications.notification')),
                ('due_at', models.DateTimeField()),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('deaths', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('is_begun', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'verbose_name_plural': 'queued',
            },
        ),
        migrations.RunSQL([ROOM, MOVE, WAIT], migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='notification',
            name='notifications_due',
        ),
        migrations.RemoveField(
            model_name='notification',
            name='leased_until',
        ),
        migrations.AlterField(
            model_name='notification',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('kept', 'In the portal only'), ('dropped', 'Not sent, with reason'), ('failed', 'Failed')], db_default='waiting', default='waiting', max_length=7),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notification',
            trigger=pgtrigger.compiler.Trigger(name='queued', sql=billing_portal.triggers.FirmSql(func="\n    INSERT INTO notifications_queued (notification_id, due_at)\n        SELECT id, next_try_at FROM new_rows WHERE status = 'waiting' AND channel <> 'letter';\n    RETURN NULL;\n", hash='0d40cbfb2911fd8715314cdb2988a21ccf993f14', level='STATEMENT', operation='INSERT', pgid='pgtrigger_queued_9af7e', referencing='REFERENCING NEW TABLE AS new_rows ', table='notifications_notification', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='queued',
            index=models.Index(fields=['due_at', 'notification'], name='notifications_due'),
        ),
    ]
