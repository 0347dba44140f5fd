"""The planted bugs of what is told, and of the payments that wait for their day."""

from tests.bite.planting import Planted

N = "tests/notifications/"
EVERY = f"{N}test_every_kind.py::test_each_is_mailed_and_listed_in_both_languages_and_says_nothing_of_its_news"

TELLING = (
    Planted(
        "a plain letter names a bill to who sees it", "notifications/plain_letters.py",
        "bills.visible_to(letter.user) if letter.user is not None else",
        "bills if letter.user is not None else",
        "tests/notifications/test_paper.py::"
        "test_what_a_mail_could_not_bring_is_a_plain_letter_in_its_readers_language",
    ),
    Planted(
        "a mail has its Spanish", "templates/mail/plan_cured/body.txt",
        '{% translate "See the schedule after you sign in:" %}',
        "See the schedule after you sign in:",
        f"{EVERY}[plan_cured]",
    ),
    Planted(
        "what is optional can be stopped with one click", "notifications/unsubscribing.py",
        "    if kind.is_required:", "    if True:",
        f"{EVERY}[plan_due_soon]",
    ),
    Planted(
        "an instalment is told of once", "payments/plans/watching.py",
        "filter(pk=installment.pk, told__lt=told).update(", "filter(pk=installment.pk).update(",
        f"{N}test_instalments.py::test_three_days_ahead_on_the_day_and_once_each_is_missed",
    ),
    Planted(
        "what autopay takes is not reminded of", "payments/plans/watching.py",
        " or charging.of(where) is not None:", ":",
        f"{N}test_instalments.py::test_what_autopay_takes_is_not_asked_for",
    ),
    Planted(
        "what autopay does not take is", "payments/plans/charging.py",
        "        return charge_status not in BY_HAND", "        return True",
        f"{N}test_instalments.py::test_what_autopay_does_not_take_after_all_is_asked_for",
    ),
    Planted(
        "an instalment that is paid meanwhile is not told of", "notifications/news/plans.py",
        "    if not _is_true(notice.kind, where, today):", "    if False:",
        f"{N}test_instalments.py::test_paid_between_making_and_sending_it_is_not_sent",
    ),
    Planted(
        "a pause of autopay that ends by itself is told", "payments/autopay/announcing.py",
        "    record_many(resumed)\n", "",
        f"{N}test_instalments.py::test_autopay_that_goes_on_by_itself_says_so_once",
    ),
    Planted(
        "the cut-off of a charge", "payments/autopay/single.py",
        "    if is_until_cut_off and timezone.now() >= days.cut_off(days.planned(held)):", "    if False:",
        "tests/payments/autopay/test_changing.py::test_the_cut_off_is_midnight_before_the_day",
    ),
    Planted(
        "what autopay takes next is its member's to see", "payments/models/autopay.py",
        "        return self.filter(seen, enrollment__user_id=scope.user_id)", "        return self.filter(seen)",
        "tests/payments/autopay/test_pages.py::"
        "test_the_overview_says_what_is_taken_next_and_the_bill_says_how_much_from_what",
    ),
    Planted(
        "what autopay takes is no bill to remind of", "notifications/bill_notices.py",
        " AND {OWED} AND NOT {AUTOMATIC}", " AND {OWED}",
        f"{N}test_reminders.py::test_what_autopay_takes_is_not_chased",
    ),
    Planted(
        "the database's clock decides what is due", "payments/clocks.py",
        "    return timezone.now() if settings.IS_CLOCK_MOVED else _database_now()", "    return timezone.now()",
        "tests/payments/autopay/test_clocks.py::test_a_worker_that_is_ahead_charges_nothing_early_and_is_told_of_once",
    ),
    Planted(
        "a failed instalment is told of once", "notifications/audience.py",
        "channel__in=moving.OFF_SESSION)", "channel=Payment.Channel.AUTOPAY)",
        f"{N}test_autopay_notices.py::test_a_failed_charge_is_told_of_once",
    ),
    Planted(
        "a notice of past due waits for the banks", "notifications/bill_notices.py",
        "    if kind.days == FIRST_DAY_PAST:", "    if False:",
        f"{N}test_reminders.py::test_what_is_due_while_banks_are_closed_is_past_due_once_they_were_open",
    ),
    Planted(
        "nor does it leave before", "notifications/news/bills.py",
        "if rule is kinds.Bill.PAST_DUE and bill.due_on >= first_due_in_time(today):",
        "if rule is kinds.Bill.PAST_DUE and bill.due_on >= today:",
        f"{N}test_reminders.py::test_no_notice_of_past_due_leaves_before_the_banks_were_open",
    ),
    Planted(
        "past due after a day on which banks are open", "bills/states.py",
        "    if standing.due_on < first_due_in_time(today):", "    if standing.due_on < today:",
        "tests/bills/test_states.py::test_what_is_due_on_a_saturday_is_paid_in_time_until_mondays_end",
    ),
    Planted(
        "no paper for who chose paperless bills", "notifications/paper.py",
        "household__has_paperless_bills=False, ", "",
        f"{N}test_paper.py::test_bills_and_explanations_are_printed_for_who_wants_them_on_paper_and_nobody_elses",
    ),
    Planted(
        "no paper about who is apart", "notifications/paper.py",
        "    if member.is_apart or not household.address", "    if not household.address",
        f"{N}test_paper.py::test_bills_and_explanations_are_printed_for_who_wants_them_on_paper_and_nobody_elses",
    ),
    Planted(
        "no text of a mail that another has", "notifications/sending.py",
        "_send(notice, mail, open_line) if is_ours else None", "_send(notice, mail, open_line)",
        f"{N}test_mails.py::test_a_mail_that_another_took_over_is_spoken_of_and_not_sent",
    ),
    Planted(
        "what was sent is marked where the server is away next", "notifications/sending.py",
        "                claiming.step(cursor, last, None)\n", "",
        f"{N}test_mails.py::test_what_was_sent_stays_sent_where_the_server_is_away_for_the_next",
    ),
    Planted(
        "no words of a mail that another has", "notifications/claiming.py",
        "    JOIN notifications_queued q ON q.notification_id = d.id AND q.tries = d.tries\n", "",
        f"{N}test_mails.py::test_a_late_sender_does_not_mark_what_another_has_taken_over",
    ),
    Planted(
        "one word at a time where the server asks it", "notifications/line.py",
        'server.has_extn("pipelining")', "True",
        f"{N}test_mails.py::test_the_server_is_told_no_more_than_it_takes_before_it_answers",
    ),
)  # fmt: skip
