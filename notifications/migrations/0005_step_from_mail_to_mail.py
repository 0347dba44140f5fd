"""The step of a sender from one mail to the next, as a function: its plans are kept, where a statement's are made anew.

A pooler that gives each transaction another session keeps them too, which it would not with PREPARE.
"""

from django.db import migrations

# What `notifications.claiming` asks: one notice was sent, one is about to be, or both. The ids of those still ours.
STEP = """
    CREATE FUNCTION notifications_step(
        sent bigint, sent_tries int, says text, sent_to text, spoken text, headline text, words text,
        next bigint, next_tries int, lease timestamptz, at timestamptz
    ) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF sent IS NOT NULL THEN
            DELETE FROM notifications_queued WHERE notification_id = sent AND tries = sent_tries;
            IF FOUND THEN
                UPDATE notifications_notification SET status = 'sent', reason = says, is_void = false, sent_at = at,
                    tries = sent_tries, address = sent_to, language = spoken WHERE id = sent;
                INSERT INTO notifications_senttext (notification_id, subject, text) VALUES (sent, headline, words)
                    ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text;
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


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0004_queue_of_its_own"),
    ]

    operations = [
        migrations.RunSQL(STEP, "DROP FUNCTION notifications_step"),
    ]
