"""The table of addresses, as Django resolves it: every route with its policy and what its address is made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.policies import Policy, policy_of


@dataclass(frozen=True)
class Route:
    """One route. `pattern` is its address with `<kwarg>` where a value goes."""

    pattern: str
    name: str
    namespace: str
    view: Any

    @property
    def policy(self) -> Policy | None:
        return policy_of(self.view, url_name=self.name, namespace=self.namespace)

    @property
    def keys(self) -> tuple[str, ...]:
        """What each kwarg stands for: `bills/number` is the `<number>` after `bills/`."""
        return tuple(f"{before}/{kwarg}" for before, kwarg in re.findall(r"([\w.-]*)[/-]<(\w+)>", f"/{self.pattern}"))

    def address(self, values: dict[str, object]) -> str:
        """The address with a value for each key."""
        address = f"/{self.pattern}"
        for key in self.keys:
            address = address.replace(f"<{key.rpartition('/')[2]}>", str(values[key]), 1)
        return address

    def __str__(self) -> str:
        return f"/{self.pattern}"


def all_routes() -> list[Route]:
    """Every route of the portal, static files aside."""
    return [route for route in _walk(get_resolver(), "", "") if not route.pattern.startswith("static/")]


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + _readable(entry)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern, ":".join(filter(None, (namespace, entry.namespace))))
        elif isinstance(entry, URLPattern):
            yield Route(pattern, entry.name or "", namespace, entry.callback)


def _readable(entry: URLPattern | URLResolver) -> str:
    """`<str:number>` and `(?P<number>…)` as `<number>`, without the marks of regular expressions."""
    text = re.sub(r"<\w+:(\w+)>", r"<\1>", str(entry.pattern))
    text = re.sub(r"\(\?P(<\w+>)(?:[^()\[\]]|\[[^\]]*\])*\)", r"\1", text)
    text = re.sub(r"\((\?P<\w+>)?[^)]*\)\?", "", text)
    return text.replace("\\Z", "").replace("\\.", ".").replace("$", "").replace("^", "").replace("/?", "/")
