"""When what runs by itself runs: Celery beat's schedule, in the portal's time zone.

Every task may run twice or late and does nothing then; each calls the same function as
the manage.py command of its name.
"""

from celery.schedules import crontab

MINUTE = 60.0

SCHEDULE = {
    "work off webhooks that wait": {"task": "payments.tasks.work_off_inbox", "schedule": MINUTE / 2},
    "take in webhooks that never came": {"task": "payments.tasks.catch_up", "schedule": 60 * MINUTE},
    "ask Stripe about undecided payments": {"task": "payments.tasks.sweep", "schedule": MINUTE},
    "send mails about signing in": {"task": "accounts.tasks.send_mails", "schedule": MINUTE / 2},
    "send notifications": {"task": "notifications.tasks.work_off", "schedule": MINUTE / 2},
    "remind of due dates": {"task": "notifications.tasks.send_reminders", "schedule": crontab(hour="5", minute="5")},
    "weekly digests": {
        "task": "notifications.tasks.send_digests",
        "schedule": crontab(hour="5", minute="20", day_of_week="1"),
    },
    # Daily: a coverage that began after the first of the month is billed the next morning; a repeat issues nothing.
    "issue premiums": {"task": "bills.tasks.issue_premiums", "schedule": crontab(hour="4", minute="10")},
    # Daily, for a day that was missed: a month's charges and statements are made once.
    "charge for paying late": {
        "task": "payments.tasks.assess_finance_charges",
        "schedule": crontab(hour="3", minute="50"),
    },
    "issue statements": {"task": "payments.tasks.issue_statements", "schedule": crontab(hour="4", minute="0")},
    # After the premiums of the day are out, and before the notices of the morning.
    "watch grace periods": {"task": "payments.tasks.watch_grace", "schedule": crontab(hour="4", minute="40")},
    "take in uploaded imports": {"task": "bills.tasks.import_uploads", "schedule": MINUTE},
    "check bills against claims and estimates": {
        "task": "bills.tasks.check_bills",
        "schedule": crontab(hour="4", minute="40"),
    },
    "settle questions about corrected bills": {"task": "support.tasks.settle_corrected", "schedule": 5 * MINUTE},
    # From the first minutes of its day on; a repeat sends nothing twice.
    "send scheduled payments": {"task": "payments.tasks.send_scheduled", "schedule": 15 * MINUTE},
    "tell of payments scheduled for tomorrow": {
        "task": "payments.tasks.remind_of_scheduled",
        "schedule": crontab(hour="5", minute="35"),
    },
    # Before the day's run, and again in the day for what was issued meanwhile; a repeat announces nothing twice.
    "announce autopay charges": {
        "task": "payments.tasks.announce_autopay",
        "schedule": crontab(minute="40", hour="0,4,10,16"),
    },
    # Early enough for who is told to act before the day's run is over.
    "watch autopay": {"task": "payments.tasks.watch_autopay", "schedule": crontab(hour="5", minute="15")},
    # Before the notices of the morning; what posts in the day is taken up within minutes.
    "watch payment plans": {"task": "payments.tasks.watch_plans", "schedule": crontab(hour="4", minute="50")},
    "fit payment plans": {"task": "payments.tasks.fit_plans", "schedule": 10 * MINUTE},
    "run autopay": {"task": "payments.tasks.run_autopay", "schedule": crontab(minute="*/15", hour="1-23")},
    "foresee who comes of age": {
        "task": "accounts.tasks.foresee_coming_of_age",
        "schedule": crontab(hour="1", minute="20"),
    },
    # From the first minutes of the day on; a repeat settles nothing twice.
    "settle departures": {"task": "payments.tasks.settle_departures", "schedule": crontab(minute="1,31")},
    # At once by the doorbell; after midnight for birthdays and departures.
    "call off what people who parted had planned": {
        "task": "payments.tasks.part_ways",
        "schedule": crontab(minute="3,33"),
    },
    "reconcile with Stripe": {"task": "payments.tasks.reconcile", "schedule": crontab(hour="2", minute="45")},
    "check the ledger": {"task": "payments.tasks.check_ledger", "schedule": crontab(hour="3", minute="30")},
    "watch saved methods": {"task": "payments.tasks.watch_methods", "schedule": crontab(hour="5", minute="50")},
    "keep the month's figures": {"task": "payments.tasks.keep_figures", "schedule": crontab(hour="4", minute="40")},
    "clear guests' drafts": {"task": "payments.tasks.clear_guest_drafts", "schedule": crontab(hour="2", minute="25")},
    "keep bills in line with applications and awards": {"task": "assistance.tasks.keep_up", "schedule": MINUTE},
    "send back what awards made overpaid": {"task": "assistance.tasks.refund_overpaid", "schedule": MINUTE},
    "tell of help that ends": {"task": "assistance.tasks.tell_of_ends", "schedule": crontab(hour="5", minute="15")},
    "scan files of members": {"task": "accounts.tasks.scan_uploads", "schedule": MINUTE / 2},
    "delete files whose time has come": {
        "task": "accounts.tasks.delete_expired_uploads",
        "schedule": crontab(hour="2", minute="20"),
    },
    "clear ended sessions": {"task": "accounts.tasks.clear_ended_sessions", "schedule": crontab(hour="2", minute="15")},
}
