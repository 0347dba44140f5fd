"""The planted bugs of autopay."""

from tests.bite.planting import Planted

P = "tests/payments/"

AUTOPAY = (
    Planted(
        "autopay: those that wake late do not go together", "payments/autopay/pace.py",
        "(seconds := _too_soon()) > 0", "(seconds := 0.0) > 0",
        f"{P}autopay/test_pace.py::test_those_that_wake_late_do_not_go_together",
    ),
    Planted(
        "autopay: one thread at a time works on its call", "payments/autopay/pace.py",
        "_desk = threading.Lock() ", "_desk = threading.Semaphore(6) ",
        f"{P}autopay/test_pace.py::test_one_thread_works_at_a_time_and_none_waits_for_an_answer",
    ),
    Planted(
        'autopay: each call goes in its turn', 'payments/line.py',
        "        with around_sending.get()():\n", "        if True:\n",
        f"{P}autopay/test_pace.py::test_a_request_goes_when_its_turn_has_come",
    ),
    Planted(
        "answers settled together: what does not fit", "payments/settlement_batches.py",
        "        and not settlement.mismatch(payment, intent)\n", "",
        f"{P}autopay/test_settling_together.py::test_an_answer_that_does_not_fit_is_work_and_holds_up_no_other",
    ),
    Planted(
        "answers settled together: one balance of one bill", "payments/settlement_batches.py",
        "                balances[receivable_id] -= cents\n", "                pass\n",
        f"{P}autopay/test_settling_together.py::test_two_payments_of_one_bill_take_from_one_balance",
    ),
    Planted(
        "answers settled together: the charge of each", "payments/settlement_batches.py",
        "    if outcomes.succeeded([payment.pk for payment in going]) != len(going):",
        "    if outcomes.succeeded([payment.pk for payment in going]) < 0:",
        f"{P}autopay/test_settling_together.py::test_where_one_is_not_as_expected_none_is_half_settled",
    ),
    Planted(
        'autopay: the enrolment looked at again when charged', 'payments/autopay/submitting.py',
        '        (not look.is_on, ChargeStatus.ANNOUNCED, ""),\n',
        '',
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        'autopay: turned off between queue and charge', 'payments/autopay/submitting.py',
        '        (look.enrollment_status == "ended", ChargeStatus.NOT_NEEDED, "off"),\n',
        '',
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        'autopay: a bill on hold', 'payments/autopay/submitting.py',
        '        (look.is_held, ChargeStatus.ANNOUNCED, ""),\n',
        '',
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        'autopay: whose bill it is when charged', 'payments/autopay/submitting.py',
        '        (not look.may_pay, ChargeStatus.NOT_NEEDED, "not_yours"),\n',
        '',
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        "autopay: whose bills it pays when charged", "payments/autopay/submitting.py",
        '        (not look.is_chosen, ChargeStatus.NOT_NEEDED, "not_chosen"),\n', "",
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        "autopay: the limit as it is when charged", "payments/autopay/submitting.py",
        '        (look.is_to_be_asked, ChargeStatus.ASKED, ""),\n', "",
        f"{P}autopay/test_running.py::test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged",
    ),
    Planted(
        "autopay: a new limit reaches what is announced", "payments/autopay/changing.py",
        "            failing.ask(charge)\n", "            pass\n",
        f"{P}autopay/test_changing.py::test_a_limit_and_who_was_left_out_reach_what_is_announced_already",
    ),
    Planted(
        "autopay: no debit is planned again once it is off", "payments/retries.py",
        "    if not debiting_again.is_let(first.pk, on=day):\n", "    if False:\n",
        f"{P}autopay/test_failing.py::test_a_debit_is_sent_again_only_as_long_as_autopay_lets_it",
    ),
    Planted(
        "autopay: no debit is sent again once it is off", "payments/sending_due.py",
        "payment.retry_of_id is not None and not debiting_again.is_let(payment.retry_of_id, on=today)", "False",
        f"{P}autopay/test_failing.py::test_a_debit_is_sent_again_only_as_long_as_autopay_lets_it",
    ),
    Planted(
        "autopay: turned off, a debit to be sent again is called off", "payments/autopay/changing.py",
        "    not_again = debiting_again.call_off(held, actor=actor)\n", "    not_again = 0\n",
        f"{P}autopay/test_failing.py::test_turning_autopay_off_calls_off_the_debit_that_was_to_be_sent_again",
    ),
    Planted(
        "autopay: the announced method alone is charged", "payments/autopay/submitting.py",
        '        (not look.is_announced_method, ChargeStatus.ANNOUNCED, ""),\n', "",
        f"{P}autopay/test_running.py::test_the_second_method_takes_the_place_of_one_that_is_gone_once_it_was_announced",
    ),
    Planted(
        "autopay: another method is told three days ahead", "payments/autopay/declining.py",
        "OTHER_METHOD_DAYS = 3 ", "OTHER_METHOD_DAYS = 1 ",
        f"{P}autopay/test_failing.py::"
        "test_after_a_hard_decline_the_second_method_is_charged_when_it_was_told_three_days_ahead",
    ),
    Planted(
        "autopay: a change makes up for a day that went by", "payments/autopay/changing.py",
        "max(first, days.of(held, charge.due_on) if by_rule else charge.charge_on)",
        "(max(first, days.of(held, charge.due_on)) if by_rule else charge.charge_on)",
        f"{P}autopay/test_changing.py::test_what_waits_from_a_day_that_went_by_follows_to_one_that_is_told",
    ),
    Planted(
        "autopay: banks are debited on banking days", "payments/autopay/submitting.py",
        '        (look.method_kind == BANK_ACCOUNT and not are_banks_open, ChargeStatus.ANNOUNCED, ""),\n', "",
        f"{P}autopay/test_running.py::test_a_bank_debit_is_on_its_way_and_then_done",
    ),
    Planted(
        "finance charges: months that were spent on a plan", "payments/finance_charges.py",
        "(q.removed_at IS NULL OR q.removed_at >= %(first_at)s)", "false",
        f"{P}test_finance_charges.py::test_never_where_the_rules_forbid_it",
    ),
    Planted(
        "autopay: what the payer took back no second method pays", "payments/autopay/failing.py",
        "    if not cannot_pay or charge.attempt", "    if charge.attempt",
        f"{P}autopay/test_failing.py::test_a_return_does_to_autopay_what_its_code_says",
    ),
    Planted(
        'autopay: never more than was announced', 'payments/autopay/submitting.py',
        'min(self.amount_cents, self.payable_cents)',
        'self.payable_cents',
        f"{P}autopay/test_running.py::test_never_more_is_charged_than_was_announced",
    ),
    Planted(
        'autopay: charges taken under their lock', 'payments/autopay/submitting.py',
        'LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED',
        'LIMIT %(limit)s',
        f"{P}autopay/test_running.py::test_what_one_worker_has_taken_another_passes_by",
    ),
    Planted(
        'autopay: a method declined for good', 'payments/autopay/charge_sql.py',
        'AND f.code = ANY(%(hard)s))',
        'AND f.code = ANY(%(hard)s) AND false)',
        f"{P}autopay/test_failing.py::test_a_hard_decline_is_never_tried_again_with_that_method",
    ),
    Planted(
        'autopay: four tries at most', 'payments/autopay/declining.py',
        'MOST_TRIES = 4\nSOFT_DAYS = (3, 7, 14)',
        'MOST_TRIES = 5\nSOFT_DAYS = (3, 7, 14, 21)',
        f"{P}autopay/test_failing.py::test_a_soft_decline_is_tried_four_times_on_the_stated_days",
    ),
    Planted(
        'autopay: a bank that wants the payer', 'payments/settlement.py',
        '    if target == PaymentStatus.FAILED and is_asked and payment.status in ASKABLE:',
        '    if False:',
        f"{P}autopay/test_failing.py::test_a_question_of_the_bank_that_nobody_answers_ends_after_three_days",
    ),
    Planted(
        'autopay: ten days of notice', 'payments/autopay/charge_sql.py',
        'NOTICE_DAYS = 10 ',
        'NOTICE_DAYS = 3 ',
        f"{P}autopay/test_announcing.py::test_a_day_that_the_notice_does_not_reach_becomes_the_due_date_or_ten_days",
    ),
    Planted(
        "plans: what autopay is about to take is not missed", "payments/plans/watching.py",
        "    if plan.missed_since is None and charging.state_of(where, charging.of(where), today) == State.DUE:",
        "    if False:",
        f"{P}plans/test_time.py::test_what_autopay_takes_after_the_due_date_is_not_missed_until_it_failed",
    ),
    Planted(
        "autopay: what is not answered is asked once", "payments/autopay/announcing.py",
        "            AND (c.status = 'announced' OR e.limit_cents IS NULL OR e.limit_cents >= a.balance_cents)", "",
        f"{P}autopay/test_announcing.py::test_what_is_not_answered_is_asked_once",
    ),
    Planted(
        "autopay import: a row that is refused is alone", "payments/autopay/taking_over.py",
        "        if len(orders) > 1:\n", "        if False:\n",
        f"{P}autopay/test_importing_many.py::test_a_row_that_the_database_refuses_takes_no_other_with_it",
    ),
    Planted(
        "autopay import: what somebody wrote meanwhile is looked at again", "payments/autopay/taking_over.py",
        "        return _take(orders, batch, answers)  # what somebody else wrote at that moment is seen by now\n",
        "        return [Outcome.CONFLICT]\n",
        f"{P}autopay/test_importing_many.py::test_who_turns_autopay_on_in_the_midst_keeps_it_and_the_others_are_taken",
    ),
    Planted(
        "autopay import: a customer is the first one's who brings it", "payments/autopay/beginning.py",
        "    return None if answer.customer_id in standing.holders else answer\n", "    return answer\n",
        f"{P}autopay/test_importing_many.py::test_rows_of_one_batch_see_each_other",
    ),
    Planted(
        "many scopes: who is switched off sees nobody", "accounts/visibility.py",
        "{user.pk for user in users if user.is_active}", "{user.pk for user in users}",
        "tests/accounts/test_visibility.py::test_many_scopes_at_once_are_those_of_each",
    ),
    Planted(
        'autopay: a refused key stops the run', 'payments/autopay/running.py',
        '        if isinstance(error, Unauthorized):\n            self.halt.set()\n',
        '        if isinstance(error, Unauthorized):\n',
        f"{P}autopay/test_running.py::test_a_key_that_is_refused_stops_the_run_and_nothing_is_called_declined",
    ),
    Planted(
        "that the first method cannot pay is found though the second can", "payments/autopay/health.py",
        "              WHEN why.first IS NOT NULL THEN 'second_pays' END),", "              END),",
        f"{P}autopay/test_health.py::test_staff_see_the_list_with_counts",
    ),
    Planted(
        "autopay looks ahead to the premium without the help that ends", "payments/autopay/health.py",
        '{share_sql("v", "d.day")} >', "v.premium_cents - v.subsidy_cents - v.charitable_cents >",
        f"{P}autopay/test_health.py::test_coverage_that_ended_was_replaced_or_costs_more_than_the_limit",
    ),
    Planted(
        "only the payment's own intent counts on coming back from the bank", "payments/pages/stripe_pages.py",
        "    if named is not None and named != payment.stripe_payment_intent_id:", "    if False:",
        f"{P}test_pages_pay.py::test_an_intent_of_another_payment_is_refused_on_return",
    ),
)  # fmt: skip
