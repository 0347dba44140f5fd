"""The repository holds to its own style (STYLE.md): what a reviewer would say every time is said here."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGEST_TEMPLATE = 150
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "managers", "services", "tools"}
APPS = ("ledger", "activity", "accounts", "bills", "payments", "assistance", "support", "notifications")
GATEWAY = "payments/gateway.py"
# Put together here so that this file does not find itself.
MARKERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
UNVERIFIED = "construct_event_" + "without_verification"
WEBHOOK = "/webhooks/stripe/"
INLINE = re.compile(
    r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script\b(?![^>]*\bsrc=)(?![^>]*application/json)", re.I
)


@cache
def files() -> tuple[str, ...]:
    """Every file that is in the repository or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted(name for name in set(listed) if (ROOT / name).is_file()))


def python_files() -> list[str]:
    """Python that people wrote: migrations are made by a command."""
    return [name for name in files() if name.endswith(".py") and "/migrations/" not in name]


@cache
def tree(name: str) -> ast.Module:
    """The parsed source of a file."""
    return ast.parse((ROOT / name).read_text(), filename=name)


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(name: str) -> Iterator[str]:
    """The full name of everything that a file imports."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def lines(name: str) -> int:
    """How many lines a file has."""
    return len((ROOT / name).read_text().splitlines())


def test_no_file_is_longer_than_400_lines() -> None:
    """STYLE 5."""
    long = [f"{name}: {lines(name)}" for name in python_files() if lines(name) > LONGEST_FILE]
    assert not long


def test_no_script_or_style_file_of_ours_is_longer_than_600_lines() -> None:
    """STYLE 5, for the other languages: portal.css is one file by design."""
    ours = [
        name for name in files() if name.startswith(("static/", "stripe_sandbox/")) and name.endswith((".js", ".css"))
    ]
    long = [f"{name}: {lines(name)}" for name in ours if lines(name) > 600]
    assert not long


def test_no_function_is_longer_than_60_lines() -> None:
    """STYLE 5."""
    long = [
        f"{name}:{function.lineno} {function.name}"
        for name in python_files()
        for function in functions(name)
        if (function.end_lineno or function.lineno) - function.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_no_template_is_longer_than_150_lines() -> None:
    """STYLE 5."""
    long = [name for name in templates() if lines(name) > LONGEST_TEMPLATE]
    assert not long


def test_no_module_collects_what_has_no_home() -> None:
    """STYLE 2."""
    banned = [name for name in python_files() if BANNED_NAMES & set(Path(name).with_suffix("").parts)]
    assert not banned


def test_no_marker_is_left_over() -> None:
    """STYLE 27: what is left to do stands in an issue."""
    endings = (".py", ".html", ".js", ".css", ".md", ".toml", ".yml", ".sh", ".txt", "Makefile", "Dockerfile")
    names = [name for name in files() if name.endswith(endings)]
    left = [name for name in names if MARKERS.search((ROOT / name).read_text(errors="replace"))]
    assert not left


def templates() -> list[str]:
    """The templates of pages; a mail's HTML is dressed inline, since mail programs know no other way."""
    return [
        name
        for name in files()
        if name.endswith((".html", ".svg")) and "templates/" in f"/{name}" and "/mail/" not in name
    ]


def test_templates_hold_no_inline_script_or_style() -> None:
    """FAULTS M06: the content security policy allows none, so none would work."""
    inline = [
        f"{name}: {match.group().strip()}"
        for name in templates()
        if not name.startswith("templates/print/")  # read by the PDF printer, never by a browser
        and (match := INLINE.search((ROOT / name).read_text()))
    ]
    assert not inline


def test_only_the_gateway_imports_stripe() -> None:
    """DESIGN 9."""
    importing = [
        name
        for name in python_files()
        if name != GATEWAY
        and not name.startswith(("tests/", "bench/"))  # there it plays the browser, or asks what Stripe holds
        and any(module == "stripe" or module.startswith("stripe.") for module in imports(name))
    ]
    assert not importing


def test_no_event_is_read_without_its_signature() -> None:
    """FAULTS C24."""
    assert not [name for name in python_files() if UNVERIFIED in (ROOT / name).read_text()]


def test_imports_stand_at_the_top_of_the_file() -> None:
    """STYLE 4. Inside a function an import hides a circle."""
    local = [
        f"{name}:{node.lineno}"
        for name in python_files()
        if not name.startswith(("tests/", "bench/"))  # these import Django's models after they have set it up
        for function in functions(name)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not local


def test_no_signals_no_save_overrides() -> None:
    """STYLE 6."""
    found = []
    for name in python_files():
        if not name.startswith(APPS):
            continue
        if any(module.startswith(("django.db.models.signals", "django.dispatch")) for module in imports(name)):
            found.append(f"{name}: signals")
        if name.endswith("models.py"):
            found += [f"{name}:{function.lineno} save" for function in functions(name) if function.name == "save"]
    assert not found


def test_no_migration_is_missing() -> None:
    """STYLE 27: as `makemigrations --check` says it, without a database."""
    loader = MigrationLoader(None)
    written, models = loader.project_state(), ProjectState.from_apps(apps)
    assert MigrationAutodetector(written, models).changes(graph=loader.graph) == {}


def test_every_migration_is_named_by_hand() -> None:
    """STYLE 18: 0003_auto_… says nothing."""
    migrations = [name for name in files() if "/migrations/" in name and name.endswith(".py")]
    assert migrations
    assert not [name for name in migrations if re.search(r"/\d{4}_(auto_|initial)", name)]


def test_every_test_asserts_something() -> None:
    """A test that asserts nothing passes whatever happens."""
    empty = [
        f"{name}:{function.lineno} {function.name}"
        for name in python_files()
        if name.startswith("tests/")
        for function in functions(name)
        if function.name.startswith("test_") and not asserts(function, name)
    ]
    assert not empty


def asserts(function: ast.AST, name: str, depth: int = 2) -> bool:
    """Whether a function asserts, expects an exception, or calls one that does, of its file or imported from tests."""
    called = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assert | ast.Raise):
            return True
        if isinstance(node, ast.Call):
            target = node.func
            called.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    if any(word.startswith(("raises", "assert", "django_assert", "expect", "to_")) for word in called):
        return True
    if depth == 0:
        return False
    near = [name, *(other for other in map(module_file, imports(name)) if other.startswith("tests/"))]
    return any(
        found.name in called and asserts(found, other, depth - 1) for other in near for found in functions(other)
    )


def module_file(module: str) -> str:
    """The file of a module of ours, or "" where it is none."""
    name = module.replace(".", "/") + ".py"
    return name if (ROOT / name).is_file() else ""


def test_every_test_file_is_found_by_its_name() -> None:
    """A file of tests that pytest does not collect runs never."""
    strays = [
        name
        for name in python_files()
        if name.startswith("tests/")
        and not Path(name).name.startswith("test_")
        and any(function.name.startswith("test_") for function in functions(name))
    ]
    assert not strays


# Doors for other machines, which prove themselves in each request: by a signature, or by a token (RFC 8058).
EXEMPT_FROM_CSRF = {WEBHOOK, "/webhooks/mail/", "/webhooks/texts/", "/notifications/unsubscribe/"}


def test_only_doors_for_machines_are_exempt_from_csrf() -> None:
    """FAULTS C23. The API authenticates by token and is exempt by its own framework's rule."""
    exempt = {
        address
        for address, view in routes(get_resolver())
        if getattr(view, "csrf_exempt", False) and not address.startswith("/api/")
    }
    assert exempt == EXEMPT_FROM_CSRF


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, object]]:
    """Every address and its view."""
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.callback


def test_python_files_say_what_they_are() -> None:
    """STYLE 11: every module of the apps begins with a docstring."""
    silent = [
        name
        for name in python_files()
        if not name.startswith("tests/") and (ROOT / name).read_text().strip() and not ast.get_docstring(tree(name))
    ]
    assert not silent


def test_the_lock_files_name_no_registry() -> None:
    """An install asks the registry that its own machine is told of."""
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    requirements = "".join((ROOT / name).read_text() for name in files() if name.startswith("requirements/"))
    assert "--index-url" not in requirements
    assert "--find-links" not in requirements
