"""The planted bugs of leaving a household, coming of age on it, and letting its holder see."""

from tests.bite.planting import Planted

P, A = "tests/payments/test_leaving.py::", "tests/accounts/test_sight.py::"

H = "tests/payments/test_succession.py::"

HOUSEHOLD = (
    Planted(
        "where letters go is that person's to read, and staff's",
        "payments/pages/leaving.py",
        "        **(standing.letters if is_own else {}),",
        "        **standing.letters,",
        f"{P}test_where_letters_go_is_asked_for_and_needed_without_a_sign_in",
    ),
    Planted(
        "holding ends with the day on which it is handed over",
        "accounts/visibility.py",
        "    return is_holder and (left_on is None or left_on > today)",
        "    return is_holder",
        f"{H}test_holding_ends_at_midnight_by_the_date_and_goes_on_with_the_other",
    ),
    Planted(
        "nobody holds an account without having said yes",
        "accounts/successions.py",
        "    return departure.accepted_at is not None and able(",
        "    return able(",
        f"{H}test_without_a_yes_the_day_passes_and_nothing_changes",
    ),
    Planted(
        "what was shared with the former holder is not the next one's",
        "payments/departing.py",
        "        sharing.set_shared(bill, is_shared=False, actor=ACTOR)  # it was",
        "        pass  # it was",
        f"{H}test_what_was_shared_with_the_former_holder_is_shared_no_longer",
    ),
    Planted(
        "sight ends with the day that was planned",
        "accounts/departures.py",
        "    private_sides.both(member).update(left_on=on)",
        "    private_sides.both(member).update(left_on=None)",
        f"{P}test_sight_ends_at_midnight_and_not_a_second_before",
    ),
    Planted(
        "what people of the household hold ends at that midnight",
        "accounts/departures.py",
        "        Delegate.objects.filter(pk=delegate.pk).update(until=last)\n",
        "",
        f"{P}test_what_the_two_held_for_one_another_ends_and_an_adults_own_helper_stays",
    ),
    Planted(
        "what is accepted after a leaving was planned ends with it",
        "accounts/delegates.py",
        "    departures.cap(made)\n",
        "",
        f"{P}test_an_invitation_neither_survives_a_leaving_nor_outlasts_one",
    ),
    Planted(
        "an invitation is accepted while who sent it could send it",
        "accounts/delegates.py",
        "        or member not in may_grant_for(scope_of(found.invited_by))\n",
        "",
        f"{P}test_an_invitation_neither_survives_a_leaving_nor_outlasts_one",
    ),
    Planted(
        "what lets others see a child ends with childhood",
        "accounts/delegates.py",
        "        until = min(until or last, last)\n",
        "",
        "tests/accounts/test_delegates.py::test_what_lets_others_see_a_child_ends_when_they_are_a_teenager",
    ),
    Planted(
        "of a teenager paying alone is lent",
        "accounts/delegates.py",
        "    return is_harmless or today <= last_day_of_sight(member, today=today)",
        "    return True",
        "tests/accounts/test_delegates.py::test_what_lets_others_see_a_child_ends_when_they_are_a_teenager",
    ),
    Planted(
        "what was granted before is given that end too",
        "accounts/teens.py",
        "            Delegate.objects.filter(longer, pk=delegate.pk, ended_at__isnull=True).update(until=last)",
        "            pass",
        "tests/accounts/test_delegates.py::test_what_lets_others_see_a_child_ends_when_they_are_a_teenager",
    ),
    Planted(
        "invitations end with the household",
        "payments/departing.py",
        '    for invitation in departures.asked_for(member, on=departure.on).order_by("pk"):\n'
        "        delegates.withdraw(invitation, actor=ACTOR)\n",
        "",
        f"{P}test_an_invitation_neither_survives_a_leaving_nor_outlasts_one",
    ),
    Planted(
        "another adult's bills are theirs to show",
        "accounts/departures.py",
        "    if bills != Bills.THEIRS and not may_choose_bills(locked, scope):",
        "    if False:",
        f"{P}test_another_adults_bills_are_theirs_to_show",
    ),
    Planted(
        "what somebody planned themselves is theirs to call off",
        "accounts/departures.py",
        "    if not may_cancel(standing, scope):",
        "    if False:",
        f"{P}test_the_holder_neither_calls_off_nor_moves_what_the_other_planned",
    ),
    Planted(
        "a departure is settled once",
        "payments/departing.py",
        "    if not is_open or departure.on > timezone.localdate():",
        "    if departure.on > timezone.localdate():",
        f"{P}test_it_is_settled_once_and_told_once",
    ),
    Planted(
        "one departure that breaks keeps no other",
        "payments/departing.py",
        "sum(_settled(each.pk) for each in due)",
        "sum(settle(each.pk) for each in due)",
        f"{P}test_one_that_cannot_be_settled_keeps_no_other",
    ),
    Planted(
        "methods are lent within a household",
        "payments/models/methods.py",
        "Exists(owner), Exists(lent_to), ended_at",
        "Exists(owner), ended_at",
        f"{P}test_methods_are_no_longer_lent_from_that_midnight_on",
    ),
    Planted(
        "a holder's links end with the holder's sight",
        "payments/models/guests.py",
        "            Q(bill__shared_at__isnull=False) | ~Exists(apart) | ~Exists(holders),\n",
        "",
        f"{P}test_a_link_that_the_holder_made_opens_nothing_from_that_midnight_on",
    ),
    Planted(
        "who came of age proves who they are",
        "accounts/sight_views.py",
        "@reauthentication.required\n",
        "",
        f"{A}test_it_asks_who_one_is",
    ),
)
