"""A person at the portal's pages: the forms of the real pages over real HTTP, and what came of each."""

import re

import requests

TOKEN = "f" * 32  # Django's CSRF check compares cookie and form
TIMEOUT_SECONDS = 30


class Visitor:
    """One session at the portal. A connection that breaks is an outcome, `lost`, as it is for a browser."""

    def __init__(self, base: str, session: str) -> None:
        self.base = base
        self.headers = {"Cookie": f"session={session}; csrf={TOKEN}", "Connection": "close"}

    def post(self, path: str, **form: str) -> str:
        """Send a form; what came of it."""
        data = {"csrfmiddlewaretoken": TOKEN, **form}
        try:
            answer = requests.post(
                self.base + path, data=data, headers=self.headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return "lost"
        return f"{answer.status_code} {answer.headers.get('Location', '')}".strip()

    def get(self, path: str) -> str:
        """Look at a page; what came of it."""
        try:
            answer = requests.get(
                self.base + path, headers=self.headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return "lost"
        return f"{answer.status_code} {answer.headers.get('Location', '')}".strip()

    def draft(self, household_id: int, amounts: dict[str, int]) -> str:
        """The first step of paying: the number of the draft. US cents by bill number."""
        form = {"group": f"medical-{household_id}"}
        for number, cents in amounts.items():
            form |= {f"pay-{number}": "on", f"amount-{number}": f"{cents // 100}.{cents % 100:02d}"}
        query = "&".join(f"bill={number}" for number in amounts)
        answer = self.post(f"/pay/?{query}", **form)
        found = re.fullmatch(r"302 /pay/([0-9A-Z-]+)/method/", answer)
        if found is None:
            raise AssertionError(f"the first step of paying answered {answer}")
        return found[1]

    def choose(self, payment: str, token: str) -> str:
        """The second step: what the browser's token names."""
        return self.post(f"/pay/{payment}/method/", method="new", confirmation_token=token)

    def confirm(self, payment: str) -> str:
        """The third step, which charges."""
        return self.post(f"/pay/{payment}/review/")


def shape(answer: str) -> str:
    """An outcome without the numbers in it."""
    return re.sub(r"\?.*", "", re.sub(r"/[0-9A-Z]{4}(-[0-9A-Z]{4})+/", "/N/", answer)).replace("302 ", "")
