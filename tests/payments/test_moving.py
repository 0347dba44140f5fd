"""A move names the state it expects: who looked before another moved the payment loses, and changes nothing."""

from collections.abc import Callable

import pytest

from payments import moving
from payments.models import Payment
from payments.moving import LostRace
from payments.states import PaymentStatus


def test_who_looked_before_another_moved_it_loses(
    draft: Callable[..., Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS M9, A16: compare and set; zero rows changed is a conflict."""
    payment = draft()
    before = moving.current(payment.pk)
    moving.move(payment.pk, PaymentStatus.CANCELED, actor="system")
    monkeypatch.setattr(moving, "current", lambda _payment_id: before)
    with pytest.raises(LostRace):
        moving.move(payment.pk, PaymentStatus.SUBMITTED, actor="system")
    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.CANCELED
