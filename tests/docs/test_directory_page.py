"""The page on the directory says what is so: its commands run, its tables are the code's."""

import re
from pathlib import Path

import pytest

from producers.crm_words import lifecycle_of, role_of
from readbrief.workers import as_environment
from schemas.directory import Account, BuyingRole, Contact, Content, Function, Lifecycle, Rep
from tests.docs.test_docs import ROOT, blocks, run
from tests.support.fresh_brokers import broker_settings, fresh_embedded_broker

PAGE = (ROOT / "docs" / "directory.md").read_text()


@pytest.mark.timeout(180)
def test_the_commands_work_as_written(tmp_path: Path) -> None:
    (commands,) = blocks(PAGE)
    printed = []
    with fresh_embedded_broker(tmp_path) as bootstrap:
        environment = {"PATH": "/usr/bin:/bin", **as_environment(broker_settings(bootstrap))}
        for line in commands:
            done = run(line, tmp_path, environment)
            assert done.returncode == 0, (line, done.stderr)
            printed.append(done.stdout.strip())
    assert printed[:3] == [
        "2 accounts, 2 contacts, 3 contents, 2 reps",
        "2 accounts, 2 contacts",
        "4 accounts, 4 contacts, 3 contents, 2 reps",
    ]
    assert "domains: ['coil.example']" in printed[3]
    assert printed[4] == "2 contacts"
    assert printed[5].splitlines() == ["deleted contact:fay", "deleted account:9001000102"]


@pytest.mark.parametrize(
    ("kind", "model"), [("accounts", Account), ("contacts", Contact), ("reps", Rep), ("content", Content)]
)
def test_the_columns_are_the_models_fields(kind: str, model: type[Account | Contact | Rep | Content]) -> None:
    (row,) = re.findall(rf"^\| {kind} \| (.*) \|$", PAGE, re.MULTILINE)
    for name, field in model.model_fields.items():
        if name not in {"v", "kind", "earlier"}:
            assert (f"**{name}**" in row) == field.is_required(), name
            assert name in row, name


def test_the_words_of_lifecycle_role_and_function_are_all_there() -> None:
    for name, words in (("lifecycle", Lifecycle), ("role", BuyingRole), ("function", Function)):
        assert f"- {name}: {', '.join(words)}\n" in PAGE


def test_what_the_tables_say_of_the_crms_words_is_so() -> None:
    roles = re.findall(r"^\| (\w+) \| ([A-Z].*) \|$", PAGE.partition("| role | words |")[2], re.MULTILINE)
    assert [role for role, _ in roles] == ["decider", "buyer", "initiator", "influencer", "user"]
    for role, words in roles:
        assert all(role_of(word) == role for word in words.split(", "))
    for stage, word in (("visitor", "Subscriber"), ("won", "Customer - Channel"), ("lead", "Prospect")):
        assert lifecycle_of(word) == stage
        assert word in PAGE
