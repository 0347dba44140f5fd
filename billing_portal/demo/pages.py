"""The page that moves the demo's clock. Its address exists in the demo alone."""

import datetime as dt
import os
import subprocess
import sys

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.policies import Policy, allow
from billing_portal.demo import clock
from billing_portal.demo.move_clock import MOST_DAYS
from ledger.templatetags.portal import day_long


class ClockForm(forms.Form):
    """The day to go to."""

    day = forms.DateField(
        label=gettext_lazy("Go to the evening of"),
        widget=forms.DateInput(attrs={"type": "date", "class": "ds-c-field"}),
    )

    def clean_day(self) -> dt.date:
        """A day ahead, and not too far."""
        day: dt.date = self.cleaned_data["day"]
        today = timezone.localdate()
        first, last = today + dt.timedelta(days=1), today + dt.timedelta(days=MOST_DAYS)
        if not first <= day <= last:
            raise forms.ValidationError(
                _("Choose a day from %(first)s to %(last)s.") % {"first": day_long(first), "last": day_long(last)}
            )
        return day


@allow(Policy.PUBLIC)
def clock_page(request: HttpRequest) -> HttpResponse:
    """Show the demo's moment, and begin to move it."""
    goal = str(clock.state(settings.VAR_DIR)["goal"])
    form = ClockForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not goal and form.is_valid():
        # At once, and not when the process has started: the page that follows would show a clock that stands.
        shift_seconds = float(clock.state(settings.VAR_DIR)["shift_seconds"])
        clock.write(settings.VAR_DIR, shift_seconds=shift_seconds, goal=form.cleaned_data["day"].isoformat())
        subprocess.Popen(
            [sys.executable, "-m", "billing_portal.demo.move_clock", form.cleaned_data["day"].isoformat()],
            env=dict(os.environ), start_new_session=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return redirect("demo_clock")
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    context = {"form": form, "now": timezone.now(), "goal": dt.date.fromisoformat(goal) if goal else None,
               "tomorrow": tomorrow.isoformat()}  # fmt: skip
    return render(request, "demo/clock.html", context, status=422 if form.errors else 200)
