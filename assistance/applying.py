"""An application on its way: begun, written, signed and sent, asked about, decided, appealed, withdrawn.

Each move is compared and set under the application's lock, with its event and what follows from it (holds, award) in
one transaction. Three errors: Refused (a rule), Conflict (somebody was first), and nothing for a repeat.
"""

import datetime as dt
import secrets

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Household, Member, Upload, User
from accounts.uploads import keeping
from accounts.visibility import Scope, scope_of
from activity import recording
from activity.models import WorkItem
from activity.recording import record
from assistance import awarding, charity, holding, rules
from assistance.models import Application, Determination, IncomeSource, MissingItem
from assistance.states import ALLOWED, ApplicationStatus
from bills.banking_days import add_banking_days
from ledger.transactions import atomic_with_retry

S = ApplicationStatus
MAX_SOURCES = 12
MAX_MISSING = 10
KEPT_DAYS = 7 * 365  # documents of a decided application: seven years, as records of charity care are kept
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class Refused(Exception):
    """A rule forbids it; its text tells the member or staff which."""


class Conflict(Exception):
    """The application has moved meanwhile."""


def may_apply_for(scope: Scope) -> list[Member]:
    """For whom the viewer may apply: oneself, and the members of the household one holds that are not confidential."""
    return list(Member.objects.filter(pk__in=scope.own_ids | scope.held_ids).select_related("household").order_by("pk"))


def asked_for(application: Application, scope: Scope) -> list[Member]:
    """For whom it asks, of those for whom the viewer still may: who asked for confidentiality since is left out."""
    chosen = set(application.members.values_list("pk", flat=True))
    return [member for member in may_apply_for(scope) if member.pk in chosen]


def begin(scope: Scope, user: User, *, charitable: bool = False) -> Application:
    """The application that the user writes: the one begun before, or a new one. Raises Refused."""
    if (standing := Application.objects.open().filter(applicant=user).first()) is not None:
        return standing
    members = may_apply_for(scope)
    own = next((member for member in members if member.pk in scope.own_ids), None)
    if own is None:
        raise Refused(_("Only a member can apply."))
    household: Household = own.household
    try:
        with transaction.atomic():
            application = Application.objects.create(
                number=draw_number(), household=household, applicant=user, state=household.state or "CA",
                wants_charitable=charitable, language=user.language,
                household_size=max(1, len({member.person_id for member in members})),
            )  # fmt: skip
            application.members.set(member for member in members if member.household_id == household.pk)
            _tell(application, "application.begun", actor=f"user:{user.pk}")
    except IntegrityError:  # a second click
        return Application.objects.open().get(applicant=user)
    return application


def draw_number() -> str:
    """A number that nobody can guess."""
    drawn = "".join(secrets.choice(ALPHABET) for _place in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def write(application: Application, *, members: list[Member] | None = None, **fields: object) -> None:
    """Keep what was written on one step of a draft. Raises Conflict once it was sent."""
    with transaction.atomic():
        locked = _locked(application, S.DRAFT)
        if members is not None:
            locked.members.set(members)
        Application.objects.filter(pk=locked.pk).update(**fields)


def add_income(application: Application, *, kind: str, amount_cents: int, times_a_year: int,
               upload: Upload | None) -> IncomeSource:  # fmt: skip
    """Add a source of income to a draft. Raises Refused, Conflict."""
    with transaction.atomic():
        locked = _locked(application, S.DRAFT)
        if locked.sources.count() >= MAX_SOURCES:
            raise Refused(_("That is as many sources of income as one application takes."))
        return IncomeSource.objects.create(
            application=locked, kind=kind, amount_cents=amount_cents, times_a_year=times_a_year, upload=upload
        )


def drop_income(application: Application, source_id: int, *, by: User) -> None:
    """Take a source of income out of a draft, and its document out of the store. Raises Conflict."""
    with transaction.atomic():
        source = _locked(application, S.DRAFT).sources.filter(pk=source_id).select_related("upload").first()
        if source is None:
            return
        upload = source.upload
        source.delete()
    if upload is not None:
        keeping.delete(upload, by=by)


def yearly_income_cents(application: Application) -> int:
    """What its household earns a year before tax, US cents."""
    return sum(source.yearly_cents for source in application.sources.all())


def finding(application: Application, *, on: dt.date | None = None) -> rules.Finding:
    """What the rules make of its figures now."""
    return rules.find(
        state=application.state, size=application.household_size, income_cents=yearly_income_cents(application),
        expense_cents=application.expense_cents, on=on or timezone.localdate(),
    )  # fmt: skip


@atomic_with_retry
def submit(application: Application, *, signature: str, by: User) -> None:
    """Sign and send: bills wait from here on, and the decision's clock runs. Raises Refused, Conflict."""
    locked = _locked(application, S.DRAFT)
    members = asked_for(locked, scope_of(by))
    if not members:
        raise Refused(_("Say for whom you ask."))
    locked.members.set(members)
    if not (locked.wants_assistance or locked.wants_charitable):
        raise Refused(_("Say what you ask for."))
    if not signature.strip():
        raise Refused(_("Sign with your name."))
    now = timezone.now()
    days = rules.policy(locked.state, timezone.localdate()).decision_business_days
    _move(
        locked, S.SUBMITTED, actor=f"user:{by.pk}", signature=signature.strip()[:120], signed_at=now,
        submitted_at=now, complete_at=now, decide_by=add_banking_days(timezone.localdate(), days),
    )  # fmt: skip
    holding.hold(locked)
    _open_work(locked)


@atomic_with_retry
def withdraw(application: Application, *, by: User) -> None:
    """Take it back: bills go on as before. Raises Conflict where it was decided."""
    locked = _locked(application, S.DRAFT, S.SUBMITTED, S.MISSING, S.APPEALED)
    _move(locked, S.WITHDRAWN, actor=f"user:{by.pk}")
    _close(locked, "withdrawn")


@atomic_with_retry
def ask_for(application: Application, *, texts: list[str], by: User) -> None:
    """Say in writing what is missing: the clock stands still until it came, and so does everything else."""
    locked = _locked(application, S.SUBMITTED)
    wanted = [text.strip()[:500] for text in texts if text.strip()][:MAX_MISSING]
    if not wanted:
        raise Refused("Write what is missing.")
    MissingItem.objects.bulk_create(MissingItem(application=locked, text=text, asked_by=by) for text in wanted)
    _move(locked, S.MISSING, actor=f"user:{by.pk}", complete_at=None)
    _done(locked, "asked for what is missing")


@atomic_with_retry
def answer(application: Application, item_id: int, *, upload: Upload, by: User) -> None:
    """Send what was missing; with the last of it the application is complete and its clock begins anew."""
    locked = _locked(application, S.MISSING)
    item = locked.missing_items.filter(pk=item_id, answered_at__isnull=True).first()
    if item is None:
        raise Conflict
    MissingItem.objects.filter(pk=item.pk).update(upload=upload, answered_at=timezone.now())
    if locked.missing_items.filter(answered_at__isnull=True).exists():
        return
    days = rules.policy(locked.state, timezone.localdate()).decision_business_days
    _move(
        locked, S.SUBMITTED, actor=f"user:{by.pk}", complete_at=timezone.now(),
        decide_by=add_banking_days(timezone.localdate(), days),
    )  # fmt: skip
    _open_work(locked)


@atomic_with_retry
def approve(application: Application, *, by: User, reason: str, percent: int | None = None) -> Determination:
    """Approve: by the rules in force today, or by another percentage that staff answers for; bills follow at once.

    Raises Refused where nothing asked for can be given, Conflict.
    """
    locked = _locked(application, S.SUBMITTED, S.MISSING, S.APPEALED)
    today = timezone.localdate()
    made = _determine(locked, by=by, percent=percent)
    gives = locked.wants_assistance and made.award_pct > 0
    coverages = charity.coverages(locked, income_cents=made.income_cents, on=today)
    if not gives and not coverages:
        raise Refused("The rules give nothing for these figures. Deny it, or state a percentage.")
    _move(locked, S.APPROVED, actor=f"user:{by.pk}", note=reason, decided_at=timezone.now(), decided_by=by)
    if gives:
        awarding.give(locked, made, by=by, on=today)
    for chosen in coverages:
        charity.give(locked, chosen, by=by, on=today)
    _close(locked, "approved")
    return made


@atomic_with_retry
def deny(application: Application, *, by: User, reason: str) -> None:
    """Deny, with the reason that the applicant reads; an appeal that is denied is upheld for good. Raises Conflict."""
    locked = _locked(application, S.SUBMITTED, S.MISSING, S.APPEALED)
    to = S.UPHELD if locked.status == S.APPEALED else S.DENIED
    _determine(locked, by=by, percent=0)
    _move(locked, to, actor=f"user:{by.pk}", note=reason, decided_at=timezone.now(), decided_by=by, reason=reason[:500])
    _close(locked, str(to))


@atomic_with_retry
def appeal(application: Application, *, text: str, by: User) -> None:
    """Ask for another look: bills wait again, and somebody has to answer within the same clock.

    One is open at a time: an application that was begun and not sent gives way, one that is being decided does not.
    Raises Refused, Conflict.
    """
    locked = _locked(application, S.DENIED)
    if not text.strip():
        raise Refused(_("Write why you ask us to look again."))
    if (other := other_open(locked)) is not None:
        if not other.is_draft:
            raise Refused(_("Another application of yours is being decided. Once that is done you can ask again."))
        _move(_locked(other, S.DRAFT), S.WITHDRAWN, actor=f"user:{by.pk}", note="An appeal was sent instead.")
        _close(other, "withdrawn")
    days = rules.policy(locked.state, timezone.localdate()).decision_business_days
    try:
        with transaction.atomic():
            _move(
                locked, S.APPEALED, actor=f"user:{by.pk}", appeal=text.strip()[:2000], appealed_at=timezone.now(),
                decide_by=add_banking_days(timezone.localdate(), days),
            )  # fmt: skip
    except IntegrityError as error:  # one was begun at the same moment
        raise Refused(_("Another application of yours is open. Load the page again.")) from error
    holding.hold(locked)
    _open_work(locked)


def other_open(application: Application) -> Application | None:
    """The applicant's other application that is open: one at a time is."""
    return Application.objects.open().filter(applicant=application.applicant_id).exclude(pk=application.pk).first()


def _determine(application: Application, *, by: User, percent: int | None) -> Determination:
    """Write down the figures and rows that a decision rests on."""
    found = finding(application)
    return Determination.objects.create(
        application=application, guideline=found.guideline, guideline_year=found.guideline.year,
        guideline_version=found.guideline.version, region=found.guideline.region, policy=found.policy,
        household_size=found.size, income_cents=found.income_cents, expense_cents=found.expense_cents,
        guideline_cents=found.guideline_cents, basis=found.basis,
        award_pct=found.award_pct if percent is None else percent, made_by=by,
    )  # fmt: skip


def _locked(application: Application, *expected: ApplicationStatus) -> Application:
    locked = Application.objects.select_for_update().get(pk=application.pk)
    if locked.status not in expected:
        raise Conflict
    return locked


def _move(application: Application, to: ApplicationStatus, *, actor: str, note: str = "", **fields: object) -> None:
    before = ApplicationStatus(application.status)
    if (before, to) not in ALLOWED:
        raise Conflict
    if not Application.objects.filter(pk=application.pk, status=before).update(status=to, **fields):
        raise Conflict
    application.refresh_from_db()
    _tell(application, f"application.{to}", actor=actor, before=str(before), to=str(to), reason=note)


def _tell(application: Application, kind: str, *, actor: str, before: str = "", to: str = "", reason: str = "") -> None:
    record(
        kind, subject=f"application:{application.number}", actor=actor, owner_id=application.household_id,
        from_status=before, to_status=to, reason=reason[:500], application_id=application.pk,
        user_id=application.applicant_id,
    )  # fmt: skip


def _work_key(application: Application) -> str:
    return f"application:{application.pk}:{application.decide_by}:{application.status}"


def _open_work(application: Application) -> None:
    """Somebody of Assistance has to decide by its day."""
    assert application.decide_by is not None
    due = timezone.make_aware(dt.datetime.combine(application.decide_by, dt.time(17)))
    recording.open_work(
        "assistance", subject=f"application:{application.number}", dedupe_key=_work_key(application), due_at=due
    )


def _done(application: Application, reason: str) -> None:
    waiting = WorkItem.objects.filter(subject=f"application:{application.number}", done_at__isnull=True)
    for key in list(waiting.values_list("dedupe_key", flat=True)):
        recording.close_work(key, reason=reason)


def _close(application: Application, reason: str) -> None:
    """What waited for it waits no longer; its documents are kept for the years that records are kept."""
    holding.let_go(application)
    _done(application, reason)
    after = timezone.localdate() + dt.timedelta(days=KEPT_DAYS)
    sources = application.sources.filter(upload__isnull=False).values("upload_id")
    items = application.missing_items.filter(upload__isnull=False).values("upload_id")
    uploads = Upload.objects.filter(Q(pk__in=sources) | Q(pk__in=items))
    for upload in uploads:
        keeping.let_go(upload, after=after)
