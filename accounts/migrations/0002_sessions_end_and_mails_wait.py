"""Sessions end when second factors or roles change, whoever changes them; mails about signing in wait in a table."""

import django.utils.timezone
from django.db import migrations, models

# The epoch is part of what a session must agree with (User._get_session_auth_hash). Raised here, not in the
# application, so that no path goes round it: the pages, the admin, a shell.
FORWARDS = """
CREATE FUNCTION accounts_raise_session_epoch() RETURNS trigger AS $$
DECLARE
    whose bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN whose := OLD.user_id; ELSE whose := NEW.user_id; END IF;
    UPDATE accounts_user SET session_epoch = session_epoch + 1 WHERE id = whose;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER accounts_second_factor_changed AFTER INSERT OR DELETE ON mfa_authenticator
    FOR EACH ROW EXECUTE FUNCTION accounts_raise_session_epoch();
CREATE TRIGGER accounts_group_changed AFTER INSERT OR DELETE ON accounts_user_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_raise_session_epoch();
CREATE TRIGGER accounts_permission_changed AFTER INSERT OR DELETE ON accounts_user_user_permissions
    FOR EACH ROW EXECUTE FUNCTION accounts_raise_session_epoch();
"""
BACKWARDS = """
DROP TRIGGER accounts_second_factor_changed ON mfa_authenticator;
DROP TRIGGER accounts_group_changed ON accounts_user_groups;
DROP TRIGGER accounts_permission_changed ON accounts_user_user_permissions;
DROP FUNCTION accounts_raise_session_epoch();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_first"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                ("html", models.TextField(blank=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at__isnull", True), ("sent_at__isnull", True)),
                        fields=["id"],
                        name="accounts_mail_waiting",
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
