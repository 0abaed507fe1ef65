"""`readbrief email prepare` and `tokens`, as a marketer runs them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.email_tokens import read_followed
from readbrief.cli import app
from schemas.errors import InputError
from schemas.settings import load_settings

NEWSLETTER = (
    b'<body><a href="https://www.example.com/pricing">Pricing</a> <a href="mailto:a@example.com">mail</a></body>'
)
TEXT = b"Read https://www.example.com/pricing\r\nUnsubscribe: https://www.example.com/u\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READBRIEF_SECRET", "a secret for tests only")
    monkeypatch.setenv("READBRIEF_SITES", json.dumps({"www": {"origins": ["https://www.example.com"]}}))
    monkeypatch.setenv("READBRIEF_COLLECTOR_URL", "https://mail.example.com")
    (tmp_path / "news.html").write_bytes(NEWSLETTER)
    (tmp_path / "news.txt").write_bytes(TEXT)
    (tmp_path / "contacts.csv").write_text("contact_id,name\ndana,Dana\neve:2,Eve\n")
    return tmp_path


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["email", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_newsletter_is_prepared_once_with_a_merge_tag_and_its_text_stays(folder: Path) -> None:
    out = folder / "out"
    said = run(
        "prepare", folder / "news.html", "--campaign", "spring", "--sender", "mailchimp",
        "--text", folder / "news.txt", "--out", out,
    )  # fmt: skip
    assert "1 links prepared, 1 left as they are" in said
    assert (out / "news.txt").read_bytes() == TEXT
    assert (out / "news.html").read_bytes().count(b"*|RB_TOKEN|*") == 3


def test_a_mail_for_each_contact_names_them_and_tokens_fill_in_the_same(folder: Path) -> None:
    run("prepare", folder / "news.html", "--campaign", "spring", "--contacts", folder / "contacts.csv")
    made = folder / "news.prepared"
    assert sorted(path.name for path in made.iterdir()) == ["dana.html", "eve%3A2.html"]
    link = (made / "eve%3A2.html").read_text().partition('href="https://mail.example.com')[2].partition('"')[0]
    settings, now_ms = load_settings(), (made / "dana.html").stat().st_mtime_ns // 1_000_000
    followed = read_followed(settings, link, now_ms=now_ms)
    assert followed.signed
    assert (followed.signed.recipient.contact_id, followed.target.url) == ("eve:2", "https://www.example.com/pricing")
    tokens = run("tokens", folder / "contacts.csv", "--campaign", "spring").splitlines()
    assert tokens[0] == "contact_id,name,rb_token"
    assert len(tokens) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("prepare", "missing.html", "--campaign", "spring"),
        ("prepare", "news.html", "--campaign", "two words"),
        ("prepare", "news.html", "--campaign", "spring", "--sender", "pigeon"),
        ("prepare", "news.html", "--campaign", "spring", "--site", "blog"),
        ("tokens", "news.txt", "--campaign", "spring"),
        ("revoke",),
    ],
)
def test_what_a_person_can_mend_is_said(arguments: tuple[str, ...], folder: Path) -> None:
    paths = [folder / each if each.startswith("news") else each for each in arguments]
    with pytest.raises(InputError):
        run(*paths)
