"""A secret may come from a file, as container engines hand it over."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from billing_portal import environment


def test_a_file_gives_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`NAME_FILE` serves as `NAME`, without the newline that editors add."""
    (tmp_path / "key").write_text("from-the-file\n")
    monkeypatch.delenv("EMAIL_HOST_PASSWORD", raising=False)
    monkeypatch.setenv("EMAIL_HOST_PASSWORD_FILE", str(tmp_path / "key"))
    assert environment.read().email_host_password.get_secret_value() == "from-the-file"


def test_the_variable_itself_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both set: the one that is nearer."""
    (tmp_path / "key").write_text("from-the-file")
    monkeypatch.setenv("EMAIL_HOST_PASSWORD_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("EMAIL_HOST_PASSWORD", "from-the-variable")
    assert environment.read().email_host_password.get_secret_value() == "from-the-variable"


def test_reading_leaves_the_environment_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret from a file is not handed on to every child process."""
    (tmp_path / "key").write_text("from-the-file")
    monkeypatch.delenv("EMAIL_HOST_PASSWORD", raising=False)
    monkeypatch.setenv("EMAIL_HOST_PASSWORD_FILE", str(tmp_path / "key"))
    environment.read()
    assert "from-the-file" not in environment.os.environ.values()


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says which variable and which file."""
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/secret")
    with pytest.raises(environment.SecretFileMissing, match="SECRET_KEY_FILE.*/nowhere/secret"):
        environment.read()


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS N06: neither printed nor in the error of another setting."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_not_to_be_seen")
    assert "not_to_be_seen" not in repr(environment.read())
    monkeypatch.setenv("EMAIL_PORT", "a-number")
    with pytest.raises(ValidationError, match="email_port") as error:
        environment.read()
    assert "not_to_be_seen" not in str(error.value)
