"""Settings come from the environment, are frozen, and name what is wrong."""

import pytest

from readbrief.workers import as_environment
from schemas.errors import InputError
from schemas.settings import Settings, load_settings

SECRET = "a secret for tests only"


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBRIEF_SECRET", SECRET)
    monkeypatch.setenv("READBRIEF_KAFKA_PARTITIONS", "many")
    with pytest.raises(InputError, match=r"^READBRIEF_KAFKA_PARTITIONS: .*integer"):
        load_settings()


def test_a_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READBRIEF_SECRET", raising=False)
    with pytest.raises(InputError, match=r"^READBRIEF_SECRET: Field required"):
        load_settings()


def test_an_origin_with_a_path_is_refused() -> None:
    with pytest.raises(InputError, match="is not an origin such as"):
        load_settings(secret=SECRET, sites={"docs": {"origins": ["https://example.com/path"]}})


def test_settings_survive_the_way_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        secret=SECRET,
        sites={"docs": {"origins": ["https://example.com"]}},
        chat_targets={"sales": "json://127.0.0.1:9/"},
        smtp_starttls=True,
        email_link_hosts=("partner.example",),
    )
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_secrets_do_not_show() -> None:
    settings = Settings(secret=SECRET, chat_targets={"sales": "slack://token"})
    assert SECRET not in repr(settings)
    assert "token" not in repr(settings)


def test_keys_for_different_purposes_differ() -> None:
    settings = Settings(secret=SECRET)
    assert settings.signing_key("landing") != settings.signing_key("email-link")
