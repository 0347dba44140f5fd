"""Saving a card or bank account without paying: `start`, `confirm`, and what the provider says of it (`apply`).

As with payments, the row is committed before the provider is called, and a time-out is unknown and not a failure: the
call is made again with the same key. A bank account is added under a mandate (payments.mandates).
"""

import datetime as dt
import logging

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from ledger.transactions import atomic_with_retry
from payments import customers, declines, gateway, mandates, methods, replacing, verification
from payments.mandates import Acceptance
from payments.models import Mandate, MethodSetup, PaymentMethod
from payments.provider import GatewayError, KeyReused, MethodSummary, Refused, Setup, SetupRequest

logger = logging.getLogger(__name__)

Status = MethodSetup.Status
BATCH = 100
FIRST_PAUSE = dt.timedelta(minutes=1)
KEY_LIFE = dt.timedelta(hours=20)  # the provider keeps an idempotency key for 24 hours
ACTION_LIFE = dt.timedelta(hours=24)  # an open question of the bank is given up then
CANNOT_ADD_NOW = gettext_lazy("We could not save it right now. Try again in a few minutes, or call us.")
TEXTS = {
    "abandoned": gettext_lazy("It was not confirmed, so it was not saved. You can add it again."),
    "cannot_pay_now": CANNOT_ADD_NOW,
    "expired_token": gettext_lazy("What was typed has expired. Type it again."),
    "too_many": gettext_lazy("You keep as many payment methods as one can keep. Remove or replace one first."),
}


class AddingError(Exception):
    """A method that cannot be added as asked; its text tells the member why and what to do."""


class TooManyMethods(AddingError):
    """The member keeps as many as one may keep."""


class NotSent(AddingError):
    """The provider cannot be reached; nothing was sent."""


class MandateMissing(AddingError):
    """A bank account would be kept without its owner's leave to debit it."""


def start(
    user: User,
    *,
    confirmation_token: str,
    label: str = "",
    nickname: str = "",
    makes_default: bool = False,
    replaces: PaymentMethod | None = None,
    consent_address: str | None = None,
) -> MethodSetup:
    """Draft the adding of what the browser's token names. A replacement of a card keeps the label of the old one.

    Raises TooManyMethods, provider.Refused (a token that is not ours or used up), provider.Unknown.
    """
    if replaces is None:
        refuse_too_many(user)
    summary = gateway.token_summary(confirmation_token)
    is_card = summary.kind == PaymentMethod.Kind.CARD
    return MethodSetup.objects.create(
        user=user,
        confirmation_token=confirmation_token,
        kind=summary.kind,
        brand=summary.brand,
        last4=summary.last4,
        wallet=summary.wallet,
        bank_name=summary.bank_name,
        label=(replaces.label if replaces is not None else label) if is_card else "",
        nickname=nickname,
        makes_default=makes_default,
        replaces=replaces,
        consent_address=consent_address,
        consent_version=methods.CONSENT_VERSION if is_card else "",
    )


def refuse_too_many(user: User) -> None:
    """Raise TooManyMethods where one more cannot be kept."""
    if methods.is_full(user):
        raise TooManyMethods(
            _("You keep %(most)d payment methods, which is the most that one can keep. Remove or replace one first.")
            % {"most": methods.MAX_METHODS}
        )


def confirm(setup: MethodSetup, *, acceptance: Acceptance | None = None) -> MethodSetup:
    """Send a draft, once. A bank account needs the `acceptance` of `mandates.text_for_saving`.

    Raises AddingError where nothing was sent.
    """
    try:
        customers.ensure(setup.user)
    except GatewayError as error:
        raise NotSent(str(CANNOT_ADD_NOW)) from error
    setup, is_mine = _submit(setup.pk, acceptance)
    return send(setup) if is_mine else setup


def send(setup: MethodSetup) -> MethodSetup:
    """Make the call and apply what comes back; unknown, it stays as it is. Safe to repeat: the key is the row's."""
    mandate = Mandate.objects.filter(setup=setup).first()
    try:
        found = gateway.set_up(
            SetupRequest(
                key=setup.idempotency_key,
                setup_id=setup.pk,
                customer_id=customers.ensure(setup.user),
                confirmation_token=setup.confirmation_token,
                return_url=settings.PORTAL_URL + reverse("payment_method_setup", args=[setup.pk]),
                accepted=mandates.accepted(mandate),
            )
        )
    except KeyReused:
        logger.error("setup %s: its key stands with other parameters", setup.pk)
        return current(setup.pk)
    except Refused as refusal:
        return _fail(setup.pk, "expired_token" if "confirmation_token" in str(refusal) else "cannot_pay_now")
    except GatewayError:
        return current(setup.pk)
    return apply(setup.pk, found)


def apply(setup_id: int, found: Setup) -> MethodSetup:
    """Bring a setup, and its method, to where the provider's setup intent stands: in any order and however often."""
    setup, unwanted = _apply(setup_id, found)
    for stripe_id in unwanted:
        methods.detach(stripe_id)
    return setup


def refresh(setup: MethodSetup) -> MethodSetup:
    """Ask the provider about a setup and apply the answer. Raises provider.GatewayError."""
    if setup.stripe_setup_intent_id:
        return apply(setup.pk, gateway.setup(setup.stripe_setup_intent_id))
    return send(setup) if setup.status == Status.SUBMITTED else setup


def sweep(*, now: dt.datetime | None = None) -> int:
    """Ask again about setups without an answer, and give up those whose owner left the bank's question open."""
    now = now or timezone.now()
    waiting = MethodSetup.objects.filter(
        status__in=(Status.SUBMITTED, Status.REQUIRES_ACTION), submitted_at__lte=now - FIRST_PAUSE
    )
    done = 0
    for setup in waiting.select_related("user").order_by("submitted_at")[:BATCH]:
        try:
            _bring_on(setup, now)
        except GatewayError:
            continue
        done += 1
    return done


def why_not(setup: MethodSetup) -> str:
    """Why a method was not saved, in words."""
    return str(TEXTS.get(setup.failure_code) or declines.text_of(setup.failure_code))


def current(setup_id: int) -> MethodSetup:
    """The setup as it stands in the database."""
    return MethodSetup.objects.select_related("user", "method", "replaces").get(pk=setup_id)


def _bring_on(setup: MethodSetup, now: dt.datetime) -> None:
    age = now - (setup.submitted_at or now)
    if setup.status == Status.SUBMITTED and not setup.stripe_setup_intent_id and age > KEY_LIFE:
        _fail(setup.pk, "cannot_pay_now")
    elif setup.status == Status.REQUIRES_ACTION and setup.stripe_setup_intent_id and age > ACTION_LIFE:
        try:
            apply(setup.pk, gateway.cancel_setup(setup.stripe_setup_intent_id))
        except Refused:
            refresh(setup)
    else:
        refresh(setup)


@atomic_with_retry
def _submit(setup_id: int, acceptance: Acceptance | None) -> tuple[MethodSetup, bool]:
    """Commit the attempt and the mandate. False: somebody has done so already."""
    setup = MethodSetup.objects.select_for_update().select_related("user").get(pk=setup_id)
    if setup.status != Status.DRAFT:
        return setup, False
    if setup.kind == PaymentMethod.Kind.BANK_ACCOUNT:
        if acceptance is None:
            raise MandateMissing(_("Read and agree to the authorization for your bank account first."))
        mandates.accept_setup(setup, acceptance)
    setup.status = Status.SUBMITTED
    setup.submitted_at = timezone.now()
    setup.save(update_fields=["status", "submitted_at"])
    return setup, True


@atomic_with_retry
def _apply(setup_id: int, found: Setup) -> tuple[MethodSetup, list[str]]:
    """The setup after the news, and the provider's methods that are not to stay with the customer."""
    setup = MethodSetup.objects.select_for_update().get(pk=setup_id)
    if found.setup_id != str(setup.pk) or setup.stripe_setup_intent_id not in (None, found.id):
        logger.error("setup %s: intent %s was made for another", setup.pk, found.id)
        return current(setup_id), []
    if mandate := Mandate.objects.filter(setup=setup).first():
        mandates.note_provider_id(mandate, found.mandate_id, fingerprint=found.method.fingerprint)
    setup.stripe_setup_intent_id = found.id
    unwanted: list[str] = []
    waits_for_deposits = found.next_action == "verify_with_microdeposits"
    if setup.method is not None:
        unwanted = verification.follow(setup.method, found)
    elif found.status == "succeeded" or (found.status == "requires_action" and waits_for_deposits):
        unwanted = _save(setup, found)
    elif setup.status in (Status.DONE, Status.FAILED):
        pass
    elif found.status == "requires_action":
        setup.status = Status.REQUIRES_ACTION
    elif found.status in ("requires_payment_method", "canceled"):
        setup.status, setup.failure_code = Status.FAILED, found.failure_code or "abandoned"
    setup.save(update_fields=["status", "failure_code", "stripe_setup_intent_id", "method"])
    return current(setup_id), unwanted


def _save(setup: MethodSetup, found: Setup) -> list[str]:
    """Keep the method of a setup: a new one, in the old one's place, or the one that is kept already."""
    user = User.objects.select_for_update().get(pk=setup.user_id)
    summary = found.method
    same = _same(user, summary)
    if same is not None and same.is_ready and not methods.is_expired(same) and same != setup.replaces:
        setup.method, setup.status = same, Status.DONE
        Mandate.objects.filter(setup=setup).update(method=same)
        return [summary.stripe_id]
    replaced = setup.replaces if setup.replaces is not None and setup.replaces.removed_at is None else same
    if replaced is None and methods.is_full(user):
        setup.status, setup.failure_code = Status.FAILED, "too_many"
        return [summary.stripe_id]
    method = methods.create(user, summary, label=setup.label, nickname=setup.nickname)
    if method.kind == PaymentMethod.Kind.CARD:
        methods.note_consent(
            method, version=setup.consent_version, at=setup.submitted_at, address=setup.consent_address
        )
    setup.replaces = replaced
    setup.method, setup.status = method, Status.DONE
    setup.save(update_fields=["method", "replaces"])
    Mandate.objects.filter(setup=setup).update(method=method)
    if found.status != "succeeded":
        verification.wait_for_deposits(method, found)
        return []
    record("method.kept", subject=f"method:{method.pk}", actor=f"user:{user.pk}", method_id=method.pk)
    ring("notifications.tasks.work_off")
    return replacing.settle(setup)


def _same(user: User, summary: MethodSummary) -> PaymentMethod | None:
    if not summary.fingerprint:
        return None
    kept = PaymentMethod.objects.filter(user=user, kind=summary.kind, fingerprint=summary.fingerprint)
    return kept.usable().exclude(stripe_id=summary.stripe_id).order_by("-pk").first()


def _fail(setup_id: int, code: str) -> MethodSetup:
    MethodSetup.objects.filter(pk=setup_id, status__in=(Status.SUBMITTED, Status.REQUIRES_ACTION)).update(
        status=Status.FAILED, failure_code=code
    )
    return current(setup_id)
