"""Letting another person act: asked by mail, accepted after signing in, ended at once (FAULTS F17, F18, F19)."""

import datetime as dt
import time

import pytest
import time_machine
from allauth.account.internal.userkit import user_id_to_str
from django.test import Client
from django.utils import timezone

from accounts import delegates, mailing, teens
from accounts.models import Delegate, Household, Invitation, Mail, Member, User
from accounts.visibility import scope_of
from activity.models import Access, Event
from notifications import audience_family
from tests.conftest import PASSWORD, Cast
from tests.factories import make_bill


def signed_in(user: User | None) -> Client:
    """A client whose user proved who they are a moment ago."""
    assert user is not None
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": user.email}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
    return client


@pytest.fixture
def eve(cast: Cast) -> User:
    user = User.objects.create_user("eve@example.com", PASSWORD)
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return user


def ask(member: Member, address: str = "eve@example.com", **fields: object) -> Invitation:
    assert member.user is not None
    wanted: dict[str, object] = {"grant": "pay_only", "until": None, "language": "en", **fields}
    return delegates.invite(member, address=address, by=member.user, **wanted)  # type: ignore[arg-type]


def form(member: Member, **fields: str) -> dict[str, str]:
    return {"member": str(member.pk), "address": "eve@example.com", "grant": "pay_only", "until": "", **fields}


def test_an_invitation_is_sent_accepted_and_used(cast: Cast, eve: User) -> None:
    make_bill(cast.bob, title="Cardiology", provider_name="Oakridge Heart")
    bob = signed_in(cast.bob.user)
    assert bob.post("/family/delegates/invite/", form(cast.bob)).status_code == 302
    assert b"eve@example.com" in bob.get("/family/delegates/").content
    client = signed_in(eve)
    assert client.get("/overview/").status_code == 302  # nothing before the yes
    page = client.get("/family/invitations/")
    assert b"Bob Rivera" in page.content
    invitation = Invitation.objects.get()
    answer = client.post(f"/family/invitations/{invitation.pk}/", {"answer": "yes", "is_adult": "on"})
    assert answer.status_code == 302
    assert scope_of(eve).grants == {cast.bob.pk: "pay_only"}
    assert b"Cardiology" not in client.get("/bills/").content
    assert b"185.00" in client.get("/bills/").content
    assert b"What they opened" in bob.get("/family/delegates/").content
    assert Access.objects.filter(member_id=cast.bob.pk, user=eve).exists()


def test_the_mail_names_nobody_and_says_the_same_to_whomever(cast: Cast, eve: User) -> None:
    """F19: to an address that is known here and to one that is not."""
    ask(cast.bob)
    ask(cast.bob, "nobody-here@example.com")
    first, second = Mail.objects.order_by("pk")
    assert (first.subject, first.text) == (second.subject, second.text)
    assert "Bob" not in first.text
    assert "Rivera" not in first.text
    assert f"/{Invitation.objects.latest('pk').pk}/" not in first.text


def test_the_page_says_the_same_whether_an_address_is_known_or_not(cast: Cast, eve: User) -> None:
    answers = [
        signed_in(cast.bob.user).post("/family/delegates/invite/", form(cast.bob, address=address))
        for address in ("eve@example.com", "nobody-here@example.com")
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/family/delegates/")}


def test_an_invitation_is_bound_to_its_address(cast: Cast, eve: User) -> None:
    """F18: not by who has the link, nor by an address that is not confirmed."""
    invitation = ask(cast.bob)
    stranger = signed_in(cast.charlie.user)
    assert stranger.get(f"/family/invitations/{invitation.pk}/").status_code == 404
    assert stranger.post(f"/family/invitations/{invitation.pk}/", {"is_adult": "on"}).status_code == 404
    eve.emailaddress_set.update(verified=False)
    assert signed_in(eve).post(f"/family/invitations/{invitation.pk}/", {"is_adult": "on"}).status_code == 404
    assert not Delegate.objects.exists()


@pytest.mark.parametrize("how", ["used", "expired", "withdrawn", "declined", "died"])
def test_an_invitation_works_once_and_only_while_it_stands(cast: Cast, eve: User, how: str) -> None:
    invitation = ask(cast.bob)
    if how == "used":
        delegates.end(delegates.accept(invitation, user=eve), actor="test")
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif how == "withdrawn":
        signed_in(cast.bob.user).post(f"/family/sent/{invitation.pk}/withdraw/")
    elif how == "died":
        Member.objects.filter(pk=cast.bob.pk).update(died_on=timezone.localdate())
    else:
        signed_in(eve).post(f"/family/invitations/{invitation.pk}/", {"answer": "no"})
    with pytest.raises(delegates.Refused):
        delegates.accept(invitation, user=eve)
    assert scope_of(eve).grants == {}


def test_a_withdrawn_invitation_is_not_mailed_any_more(cast: Cast) -> None:
    delegates.withdraw(ask(cast.bob), actor="test")
    assert not Mail.objects.waiting().exists()
    assert mailing.send_waiting() == 0


def test_an_end_holds_at_once_in_an_open_session(cast: Cast, eve: User) -> None:
    """F17."""
    bill = make_bill(cast.bob)
    delegate = Delegate.objects.create(member=cast.bob, user=eve, grant="full")
    client = signed_in(eve)
    assert client.get(f"/bills/{bill.number}/").status_code == 200
    signed_in(cast.bob.user).post(f"/family/delegates/{delegate.pk}/end/")
    assert client.get(f"/bills/{bill.number}/").status_code == 302  # no membership is left at all
    assert Event.objects.filter(kind="delegate.ended", subject=f"delegate:{delegate.pk}").count() == 1


def test_who_acts_can_stop(cast: Cast, eve: User) -> None:
    delegate = Delegate.objects.create(member=cast.bob, user=eve, grant="full")
    client = signed_in(eve)
    assert b"Bob Rivera" in client.get("/family/delegates/").content
    assert client.post(f"/family/delegates/{delegate.pk}/end/").status_code == 302
    assert scope_of(eve).grants == {}


def test_the_holder_grants_for_a_child_and_not_for_another_adult(cast: Cast) -> None:
    alice = signed_in(cast.alice.user)
    assert alice.post("/family/delegates/invite/", form(cast.maya, grant="view")).status_code == 302
    assert alice.post("/family/delegates/invite/", form(cast.bob)).status_code == 422
    assert alice.post("/family/delegates/invite/", form(cast.charlie)).status_code == 422
    assert {one.member for one in Invitation.objects.all()} == {cast.maya}


def test_of_a_teenager_only_paying_is_lent(cast: Cast) -> None:
    Member.objects.filter(pk=cast.maya.pk).update(birth_date=timezone.localdate() - dt.timedelta(days=15 * 366))
    alice = signed_in(cast.alice.user)
    assert alice.post("/family/delegates/invite/", form(cast.maya, grant="view")).status_code == 422
    assert alice.post("/family/delegates/invite/", form(cast.maya)).status_code == 302


def test_what_lets_others_see_a_child_ends_when_they_are_a_teenager(cast: Cast, eve: User) -> None:
    """At the midnight of that birthday, 12 in California and 13 in Oregon; paying goes on, and both sides are told."""
    assert cast.alice.user and cast.charlie.user
    born, teen = dt.date(2018, 6, 15), dt.date(2030, 6, 15)
    start = timezone.make_aware(dt.datetime.combine(teen - dt.timedelta(days=2), dt.time(12)))
    Member.objects.filter(pk=cast.maya.pk).update(birth_date=born)
    cast.maya.refresh_from_db()
    with time_machine.travel(start, tick=False):
        asked = [
            delegates.invite(cast.maya, address=address, grant=grant, until=None, by=cast.alice.user, language="en")
            for address, grant in (
                ("charlie@example.com", "full"), ("dana@example.com", "view"), ("eve@example.com", "pay_only")
            )
        ]  # fmt: skip
        given = delegates.accept(asked[0], user=cast.charlie.user)
        lent = delegates.accept(asked[2], user=eve)
        assert (given.until, lent.until) == (teen - dt.timedelta(days=1), None)
        Delegate.objects.filter(pk=given.pk).update(until=None)
        assert teens.end_due(timezone.localdate()) == 0  # it was granted before the rule
        assert scope_of(cast.charlie.user).grants == {cast.maya.pk: "full"}
    with time_machine.travel(timezone.make_aware(dt.datetime.combine(teen, dt.time.min)), tick=False):
        assert scope_of(cast.charlie.user).grants == {} and scope_of(eve).grants == {cast.maya.pk: "pay_only"}
        for refused in (
            lambda: delegates.accept(asked[1], user=cast.dana),
            lambda: delegates.invite(
                cast.maya, address="x@example.com", grant="view", until=None, by=cast.alice.user, language="en"
            ),
        ):
            with pytest.raises(delegates.Refused):
                refused()
        assert delegates.last_day_of_sight(cast.maya, today=teen) < teen
        Household.objects.filter(pk=cast.household.pk).update(state="OR")
        assert delegates.may_lend(Member.objects.get(pk=cast.maya.pk), "view", by_id=cast.alice.user.pk)
        Household.objects.filter(pk=cast.household.pk).update(state="CA")
        assert (teens.end_due(teen), teens.end_due(teen)) == (1, 0)
        ended = Event.objects.get(kind="delegate.ended", subject=f"delegate:{given.pk}")
    assert [told.user_id for told in audience_family.granters_at_end(ended)] == [cast.alice.user.pk]
    assert [told.user_id for told in audience_family.delegates_at_end(ended)] == [cast.charlie.user.pk]


@pytest.mark.parametrize(
    "fields", [{"address": "bob@example.com"}, {"until": "01/02/2020"}, {"until": "01/02/2199"}, {"grant": "owner"}]
)
def test_what_makes_no_sense_is_refused(cast: Cast, fields: dict[str, str]) -> None:
    answer = signed_in(cast.bob.user).post("/family/delegates/invite/", form(cast.bob, **fields))
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_inviting_asks_who_one_is_first(cast: Cast) -> None:
    """H16."""
    client = Client()
    assert cast.bob.user is not None
    client.force_login(cast.bob.user)
    assert client.post("/family/delegates/invite/", form(cast.bob)).status_code == 302
    assert not Invitation.objects.exists()


def test_a_minor_acts_for_nobody(cast: Cast, eve: User) -> None:
    Member.objects.filter(pk=cast.charlie.pk).update(birth_date=timezone.localdate() - dt.timedelta(days=17 * 365))
    invitation = ask(cast.bob, "charlie@example.com")
    assert cast.charlie.user is not None
    with pytest.raises(delegates.Refused):
        delegates.accept(invitation, user=cast.charlie.user)


def test_a_new_grant_takes_the_place_of_the_old_one(cast: Cast, eve: User) -> None:
    delegates.accept(ask(cast.bob, grant="full"), user=eve)
    delegates.accept(ask(cast.bob, grant="pay_only"), user=eve)
    assert scope_of(eve).grants == {cast.bob.pk: "pay_only"}
    assert Delegate.objects.filter(ended_at__isnull=True).count() == 1


def test_a_second_invitation_to_the_same_address_replaces_the_first(cast: Cast) -> None:
    first = ask(cast.bob)
    ask(cast.bob, grant="view")
    assert list(Invitation.objects.open().values_list("grant", flat=True)) == ["view"]
    assert Invitation.objects.get(pk=first.pk).ended_at is not None


def test_so_many_and_no_more(cast: Cast) -> None:
    for number in range(delegates.MOST_OF_A_MEMBER):
        ask(cast.bob, f"helper{number}@example.com")
    with pytest.raises(delegates.Refused):
        ask(cast.bob, "onemore@example.com")
