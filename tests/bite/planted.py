"""The planted bugs: a guard, the text that is it, what it is replaced by, and the tests that catch that.

`old` stands exactly once in `file`; tests/bite/test_planted.py holds the list against the code, so that it cannot rot.
Tests are pytest's ids, kept few: each bug costs seconds.
"""

from tests.bite.planted_autopay import AUTOPAY
from tests.bite.planted_help import HELP
from tests.bite.planted_household import HOUSEHOLD
from tests.bite.planted_plans import PLANS
from tests.bite.planted_sight import SIGHT
from tests.bite.planted_sums import SUMS
from tests.bite.planted_support import SUPPORT
from tests.bite.planted_telling import TELLING
from tests.bite.planting import Planted

__all__ = ["BUGS", "Planted"]


P, L, A, N = "tests/payments/", "tests/ledger/", "tests/accounts/", "tests/notifications/"

BUGS = (
    *AUTOPAY,
    *SUPPORT,
    *PLANS,
    *SIGHT,
    *HOUSEHOLD,
    *HELP,
    *TELLING,
    *SUMS,
    Planted(
        "row lock of the bills", "payments/checkout.py",
        '    list(Account.objects.select_for_update().filter(pk__in=receivables).order_by("pk"))',
        '    list(Account.objects.filter(pk__in=receivables).order_by("pk"))',
        f"{P}test_races.py::test_fifty_payers_of_one_bill_pay_it_once",
    ),
    Planted(
        "balance looked at again when confirmed", "payments/checkout.py",
        "    _refuse_excess(bills, {bill.number: wanted[bill.pk] for bill in bills}, but=payment_id)\n", "",
        f"{P}test_checkout.py::test_the_balance_is_looked_at_again_when_it_is_confirmed",
    ),
    Planted(
        "one kind a charge", "payments/checkout.py",
        "    if len({(bill.kind, bill.household_id) for bill in bills}) > 1:", "    if False:",
        f"{P}test_checkout.py::test_medical_and_premium_are_never_one_charge",
    ),
    Planted(
        "least amount", "payments/checkout.py",
        "    if total < MIN_CENTS:", "    if False:",
        f"{P}test_checkout.py::test_amounts_that_cannot_be_paid_are_refused",
    ),
    Planted(
        "state table in code", "payments/moving.py",
        "    if (PaymentStatus(payment.status), to) not in ALLOWED:", "    if False:",
        f"{P}test_races.py::test_a_move_that_the_table_does_not_have_is_refused",
    ),
    Planted(
        "compare and set", "payments/moving.py",
        "Payment.objects.filter(pk=payment_id, status=payment.status)", "Payment.objects.filter(pk=payment_id)",
        f"{P}test_moving.py",
    ),
    Planted(
        "outbox event of every move", "payments/moving.py",
        '    record(\n        f"payment.{to}",', '    dict(\n        kind=f"payment.{to}",',
        f"{P}test_checkout.py::test_every_step_leaves_its_event",
    ),
    Planted(
        "lock of the payment in settlement", "payments/settlement.py",
        "    payment = Payment.objects.select_for_update().get(pk=payment_id)\n"
        "    if fault := mismatch(payment, intent):",
        "    payment = Payment.objects.get(pk=payment_id)\n    if fault := mismatch(payment, intent):",
        f"{P}test_races.py::test_whoever_hears_first_the_end_is_the_same",
    ),
    Planted(
        "amount of the intent", "payments/settlement.py",
        "    if intent.amount_cents != payment.amount_cents:", "    if False:",
        f"{P}test_webhooks.py::test_an_intent_that_does_not_fit_changes_nothing",
    ),
    Planted(
        "whose intent it is", "payments/settlement.py",
        "    if payment.channel != Payment.Channel.STAFF and intent.payment_number != payment.number:", "    if False:",
        f"{P}test_webhooks.py::test_an_intent_that_does_not_fit_changes_nothing",
    ),
    Planted(
        "no second intent", "payments/settlement.py",
        "    if payment.stripe_payment_intent_id not in (None, intent.id):", "    if False:",
        f"{P}test_webhooks.py::test_a_second_intent_beside_the_first_is_not_applied",
    ),
    Planted(
        "what is settled stays settled", "payments/settlement.py",
        "    if payment.status in SETTLED or payment.status == target or _is_older(payment, target):",
        "    if payment.status == target or _is_older(payment, target):",
        f"{P}test_webhooks.py::test_late_news_of_success_does_not_undo_a_refund",
    ),
    Planted(
        "no more than is owed goes to a bill", "payments/settlement.py",
        "        owed = min(allocation.amount_cents, balances[bill.receivable_id])",
        "        owed = allocation.amount_cents",
        f"{P}test_races.py::test_success_after_the_bill_was_voided_is_kept_as_credit",
    ),
    Planted(
        "idempotency key of a charge", "payments/gateway.py",
        "**parameters, idempotency_key=request.key)",
        "**parameters)",
        f"{P}test_gateway.py::test_the_same_key_charges_once_and_other_content_is_refused",
    ),
    Planted(
        "idempotency key of a refund", "payments/gateway.py",
        '        {"idempotency_key": key},\n', "        {},\n",
        f"{P}test_gateway.py::test_a_refund_is_made_once_for_its_key_and_never_beyond_the_charge",
    ),
    Planted(
        "no call inside a transaction", "payments/gateway.py",
        "        if connection.in_atomic_block:", "        if False:",
        f"{P}test_races.py::test_the_provider_is_never_called_inside_a_transaction",
    ),
    Planted(
        "signature of a webhook", "payments/gateway.py",
        "            stripe.WebhookSignature.verify_header(body, signature, secret)\n",
        "",
        f"{P}test_webhooks.py::test_a_changed_body_is_refused",
    ),
    Planted(
        "age of a signature", "payments/gateway.py",
        "        if signed_at < now - dt.timedelta(seconds=stripe.Webhook.DEFAULT_TOLERANCE):", "        if False:",
        f"{P}test_webhooks.py::test_an_old_signature_is_refused_and_a_fresh_one_accepted",
    ),
    Planted(
        "signature of the future", "payments/gateway.py",
        "        if signed_at > now + dt.timedelta(seconds=stripe.Webhook.DEFAULT_TOLERANCE):", "        if False:",
        f"{P}test_webhooks.py::test_a_signature_of_the_future_is_refused",
    ),
    Planted(
        "live and test are never mixed", "payments/gateway.py",
        '        answers.refuse_wrong_mode(bool(found.get("livemode")))\n', "",
        f"{P}test_webhooks.py::test_a_live_event_in_a_test_set_up_is_refused",
    ),
    Planted(
        "an event once", "payments/webhooks.py",
        "now(), now()) ON CONFLICT (event_id) DO NOTHING", "now(), now())",
        f"{P}test_webhooks.py::test_the_same_event_a_hundred_times_at_once_is_one",
    ),
    Planted(
        "size of a webhook", "payments/webhook_views.py",
        'int(request.headers.get("Content-Length") or 0) > webhooks.MAX_BODY_BYTES', "False",
        f"{P}test_webhooks.py::test_other_methods_and_large_bodies_are_refused",
    ),
    Planted(
        "key life of a charge", "payments/sweeping.py",
        "    if age > KEY_LIFE:", "    if False:",
        f"{P}test_lost_replies.py::test_what_was_never_sent_ends_when_its_key_does",
    ),
    Planted(
        "look before a new key", "payments/sweeping.py",
        "        # A stored 5xx is answered to this key for ever. Another key only once the provider has no charge"
        " (FAULTS B04).\n        if (found := _find(payment)) is not None:",
        "        if (found := None) is not None:",
        f"{P}test_lost_replies.py::test_a_500_that_hides_a_charge_gets_no_second_key",
    ),
    Planted(
        "key life of a refund", "payments/refunds.py",
        "    if age > KEY_LIFE:", "    if False:",
        f"{P}test_refunds.py::test_a_refund_that_was_never_sent_fails_once_its_key_is_forgotten",
    ),
    Planted(
        "look before a refund's new key", "payments/refunds.py",
        "        # A stored 5xx is answered to this key for ever. Another key only once the provider has no refund"
        " (FAULTS B04).\n        if (found := _find(refund)) is not None:",
        "        if (found := None) is not None:",
        f"{P}test_refunds.py::test_a_500_that_hides_a_refund_gets_no_second_key",
    ),
    Planted(
        "what is left of a refund", "payments/refund_rules.py",
        "    if not 0 < amount_cents <= left:", "    if False:",
        f"{P}test_refunds.py::test_more_than_is_left_or_nothing_is_refused",
    ),
    Planted(
        "lock of the payment in a refund", "payments/refunds.py",
        "    payment = Payment.objects.select_for_update().get(pk=payment_id)\n    if key is not None",
        "    payment = Payment.objects.get(pk=payment_id)\n    if key is not None",
        f"{P}test_refunds.py::test_two_of_staff_at_once_refund_no_more_than_was_paid",
    ),
    Planted(
        "a refund's own row", "payments/refunds.py",
        "    if is_id(state.refund_id):", "    if False:",
        f"{P}test_refunds.py::test_a_webhook_that_comes_before_the_lost_reply_is_found_finds_our_own_row",
    ),
    Planted(
        "tries to pay", "payments/pacing.py",
        "    if failed >= MAX_FAILED_AN_HOUR or not take((CONFIRMS_PER_USER, str(user.pk))):", "    if False:",
        f"{P}test_pages_pay_access.py::test_after_ten_failed_cards_an_hour_no_more_are_sent",
    ),
    Planted(
        "one's own payment", "payments/pages/pay.py",
        "    mine = Payment.objects.visible_to(request.scope).filter(payer_id=request.scope.user_id)",
        "    mine = Payment.objects.all()",
        f"{P}test_pages_pay_access.py::test_the_steps_ask_for_sign_in_and_are_the_payers_own",
    ),
    Planted(
        "one's own methods", "payments/models/methods.py",
        '        return self.filter(Q(user_id=user_id) | Q(pk__in=shared.values("method_id")))',
        "        return self.all()",
        f"{P}test_pages_methods.py::test_the_list_shows_ones_own_cards_and_nobody_elses",
    ),
    Planted(
        "card numbers are refused", "payments/card_numbers.py",
        "        if _NETWORKS.fullmatch(digits) and _luhn(digits):", "        if False:",
        f"{P}test_card_numbers.py::test_it_is_refused_whichever_way_it_comes",
    ),
    Planted(
        "no formula in a file", "payments/spreadsheets.py",
        "        yield writer.writerow([inert(cell) for cell in row])", "        yield writer.writerow(list(row))",
        f"{P}test_pages_history.py::test_no_cell_of_the_file_is_a_formula",
    ),
    Planted(
        "a fact is told once", "notifications/notices.py",
        "    Notification.objects.bulk_create(made, ignore_conflicts=True)",
        "    Notification.objects.bulk_create(made)",
        f"{N}test_notices.py::test_a_repeat_of_the_same_fact_is_one_notice",
    ),
    Planted(
        "two workers, one event", "notifications/notices.py",
        "waiting.select_for_update(skip_locked=True)[:BATCH]", "waiting[:BATCH]",
        f"{N}test_notices.py::test_parallel_workers_make_each_notice_once",
    ),
    Planted(
        "re-authentication", "accounts/reauthentication.py",
        "        if is_recent(request):", "        if True:",
        f"{A}test_reauthentication.py::test_a_form_that_comes_too_late_is_not_carried_out",
    ),
    Planted(
        "counting by Valkey", "accounts/rate_limits.py",
        "    allowed = bool(_with_counter(lambda counter: counter.hit(_item(limit), _hashed(key)),"
        " needs_valkey=needs_valkey))",
        "    allowed = True",
        f"{A}test_rate_limits.py::test_fifty_at_once_never_pass_a_limit_of_ten",
    ),
    Planted(
        "key with other content", "ledger/posting.py",
        "        if row[1:] != posting.row():", "        if False:",
        f"{L}test_posting.py::test_a_key_with_other_content_is_refused",
    ),
    Planted(
        "chart of movements", "ledger/posting.py",
        "    if posting.reverses_id is None or not is_movement(posting.code, posting.credit_id, posting.debit_id):",
        "    if False:",
        f"{L}test_posting.py::test_a_movement_that_the_chart_does_not_have_is_refused",
    ),
    Planted(
        "deadlocks are tried again", "ledger/transactions.py",
        'RETRIED = {"40001", "40P01"}', "RETRIED: set[str] = set()",
        f"{L}test_races.py::test_transactions_of_many_postings_that_deadlock_are_tried_again",
    ),
    Planted(
        "walls and moves in the database", "billing_portal/triggers.py",
        "                    {func}\n", "                    RETURN NEW;\n",
        f"{P}test_checkout.py::test_no_session_moves_a_payment_as_is_not_allowed"
        f" {L}test_walls.py::test_it_refuses_to_change_a_balance_but_by_a_transfer",
        is_of_database=True,
    ),
    Planted(
        "unique key of a transfer", "ledger/migrations/0001_accounts_and_transfers.py",
        "fields=('owner_id', 'key'), name='ledger_transfer_key_once'",
        "fields=('owner_id', 'key', 'id'), name='ledger_transfer_key_once'",
        f"{L}test_races.py::test_one_key_posted_by_twenty_at_once_stands_once", is_of_database=True,
    ),
    Planted(
        "client key once a payer", "payments/migrations/0001_first.py",
        "fields=('payer', 'client_key'), name=", "fields=('payer', 'client_key', 'id'), name=",
        f"{P}test_races.py::test_the_same_client_key_makes_one_payment", is_of_database=True,
    ),
    Planted(
        "a bell only after commit", "activity/doorbell.py",
        "    transaction.on_commit(functools.partial(_send, task_name))", "    _send(task_name)",
        "tests/activity/test_doorbell.py::test_a_bell_rings_only_after_commit",
    ),
    Planted(
        "money on its way is no grace", "payments/coverage_clock.py",
        "        return max(0, self.owed_cents - self.waiting_cents)", "        return self.owed_cents",
        f"{P}test_coverage_clock.py::test_money_on_its_way_is_no_grace",
    ),
    Planted(
        "days after the notice of grace", "payments/coverage_clock.py",
        "    ends = max(ends, noticed_on + dt.timedelta(days=LEAST_DAYS_AFTER_NOTICE))\n", "",
        f"{P}test_grace.py::test_after_an_outage_nobodys_coverage_ends_on_the_day_of_the_notice",
    ),
    Planted(
        "all that is late cures a marketplace plan", "payments/grace.py",
        "    if grace.rule.needs_all:", "    if False:",
        f"{P}test_grace.py::test_a_part_of_what_is_late_does_not_cure_a_marketplace_plan",
    ),
    Planted(
        "no charge on a bill on a plan", "payments/finance_charges.py",
        " AND b.on_plan_since IS NULL", "",
        f"{P}test_finance_charges.py::test_never_where_the_rules_forbid_it",
    ),
    Planted(
        "a statement of one's own for the confidential", "payments/monthly_statements.py",
        "row.member_id if row.stands_alone else None", "None",
        f"{P}test_statements.py::test_a_confidential_or_grown_members_rows_are_on_no_other",
    ),
    Planted(
        "a statement of one's own for the grown", "payments/statement_sums.py",
        'AND {apart_sql("m")}),', "AND coalesce(m.left_on <= %(today)s::date, false)),",
        f"{P}test_statements.py::test_a_confidential_or_grown_members_rows_are_on_no_other",
    ),
    Planted(
        "no news of a statement of which nothing is left to see", "notifications/news/statements.py",
        "        if not read.rows:", "        if False:",
        f"{P}test_statements.py::test_of_a_month_of_which_nothing_is_left_to_see_the_holder_hears_nothing",
    ),
    Planted(
        "rows that are seen no longer", "payments/statement_reading.py",
        ' if bill["member"] in seen]', "]",
        f"{P}test_statements.py::test_who_asks_for_confidentiality_later_is_gone_from_the_ones_before",
    ),
    Planted(
        "what one pre-tax method takes is no room for the next", "payments/legs.py",
        "                    room_left[bill] = max(0, room_left.get(bill, 0) - share)\n", "",
        f"{P}test_split.py::test_what_one_pretax_method_takes_is_no_room_for_the_next",
    ),
    Planted(
        "the expenses of those whose services are seen", "payments/tax_pack.py",
        "        .filter(member_id__in=wanted)\n", "",
        f"{P}test_documents.py::test_one_person_alone_and_nobody_hidden",
    ),
    Planted(
        "an award once a bill", "assistance/awarding.py",
        "    if AwardedBill.objects.filter(award=award, bill=bill).exists():", "    if False:",
        "tests/assistance/test_awards.py::test_an_award_is_put_to_a_bill_once",
    ),
    Planted(
        "band includes its top", "assistance/rules.py",
        "    return income_cents * 100 <= pct * guideline_cents",
        "    return income_cents * 100 < pct * guideline_cents",
        "tests/assistance/test_rules.py::test_a_band_includes_its_top_and_ends_a_cent_above",
    ),
    Planted(
        "pending application holds its bills", "assistance/applying.py",
        "    holding.hold(locked)\n    _open_work(locked)\n\n\n@atomic_with_retry\ndef withdraw",
        "    _open_work(locked)\n\n\n@atomic_with_retry\ndef withdraw",
        "tests/assistance/test_awards.py::test_a_pending_application_holds_open_bills_and_those_that_come_in",
    ),
    Planted(
        "nothing released unscanned", "accounts/uploads/serving.py",
        "    if not upload.is_clean:", "    if False:",
        "tests/accounts/test_uploads.py::test_a_file_is_held_until_it_was_scanned_and_then_saved_by_its_owner",
    ),
)  # fmt: skip
