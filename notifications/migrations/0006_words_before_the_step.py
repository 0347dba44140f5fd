"""The step of a sender from one mail to the next without its words, which are kept for many mails before."""

import importlib

from django.db import migrations

# What `notifications.claiming` asks: one notice was sent, one is about to be, or both. The ids of those still ours.
STEP = """
    CREATE FUNCTION notifications_step(
        sent bigint, sent_tries int, says text, next bigint, next_tries int, lease timestamptz, at timestamptz
    ) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF sent IS NOT NULL THEN
            DELETE FROM notifications_queued WHERE notification_id = sent AND tries = sent_tries;
            IF FOUND THEN
                UPDATE notifications_notification SET status = 'sent', reason = says, is_void = false, sent_at = at,
                    tries = sent_tries WHERE id = sent;
                RETURN NEXT sent;
            END IF;
        END IF;
        IF next IS NOT NULL THEN
            UPDATE notifications_queued SET is_begun = true, leased_until = lease
                WHERE notification_id = next AND tries = next_tries;
            IF FOUND THEN
                RETURN NEXT next;
            END IF;
            PERFORM set_config('synchronous_commit', 'off', true);
        END IF;
    END
    $$
"""
DROP = "DROP FUNCTION notifications_step"
BEFORE = importlib.import_module("notifications.migrations.0005_step_from_mail_to_mail").STEP


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0005_step_from_mail_to_mail"),
    ]

    operations = [
        migrations.RunSQL(DROP, BEFORE),
        migrations.RunSQL(STEP, DROP),
    ]
