"""The invented company's files fit the contract and each other."""

import re
from pathlib import Path

import pytest

from producers.directory_import import read_directory
from readbrief.demo.company_files import COMPANY, DEMO_ACCOUNT, DEMO_CONTACT, PLAYBOOK, write_directory
from readbrief.demo.pages import load_pages
from schemas.delivery import ChannelKind
from schemas.directory import Content, Directory
from schemas.playbook import Playbook, Text, load_playbook

ORIGIN = "http://127.0.0.1:4321"
LANGUAGES = {"en", "de", "zh", "zh-Hant"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    paths = write_directory(tmp_path_factory.mktemp("company"), ORIGIN)
    built = Directory()
    for entity in read_directory(paths):
        built.put(entity)
    return built


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load_playbook(PLAYBOOK)


def texts_of(playbook: Playbook) -> list[Text]:
    plays = playbook.topics.values()
    return [
        *(play.name for play in plays),
        *(text for play in plays for text in (*play.stress, *play.ask)),
        *(text for play in plays for each in play.objections for text in (each.says, each.answer)),
        *(text for texts in playbook.concerns.values() for text in texts),
        *(text for texts in playbook.references.values() for text in texts),
        *playbook.next_steps.values(),
    ]


def test_the_directory_imports_whole_and_is_large_enough_to_show(directory: Directory) -> None:
    assert len(directory.accounts) >= 8
    assert len(directory.contacts) >= 16
    assert len(directory.reps) == 3
    assert len({account.lifecycle for account in directory.accounts.values()}) >= 5


def test_every_rep_can_be_reached_at_any_hour_by_mail_and_chat(directory: Directory) -> None:
    assert {rep.language for rep in directory.reps.values()} == {"en", "de", "zh"}
    for rep in directory.reps.values():
        assert {channel.kind for channel in rep.channels} == {ChannelKind.email, ChannelKind.chat}
        assert rep.working_hours.start == rep.working_hours.end
        assert rep.working_hours.days == (0, 1, 2, 3, 4, 5, 6)


def test_the_person_watching_is_a_contact_of_the_demo_account(directory: Directory) -> None:
    account = directory.account_of(DEMO_CONTACT)
    assert account is not None
    assert account.account_id == DEMO_ACCOUNT
    assert directory.reps[account.rep_id].language == "en"


def test_content_lies_on_the_origin_that_was_given(directory: Directory) -> None:
    assert f"{ORIGIN}/" in directory.contents
    assert all(url.startswith(f"{ORIGIN}/") for url in directory.contents)


def test_every_page_has_a_content_entry_and_every_content_entry_a_page(directory: Directory) -> None:
    named = {url.removeprefix(ORIGIN) for url in directory.contents}
    texts = {f"/{path.stem}".replace("/home", "/") for path in (COMPANY / "articles").glob("*.html")}
    assert named == texts == set(load_pages())


def test_every_topic_stage_function_and_industry_has_its_play(directory: Directory, playbook: Playbook) -> None:
    topics = {topic for content in directory.contents.values() for topic in content.topics}
    assert topics == set(playbook.topics)
    assert {contact.function for contact in directory.contacts.values()} == set(playbook.concerns)
    assert {account.industry for account in directory.accounts.values()} == set(playbook.references)
    assert len(playbook.next_steps) == 3
    for play in playbook.topics.values():
        assert play.stress
        assert play.ask
        assert play.objections
        assert play.expert


def test_every_text_of_the_playbook_stands_in_all_its_languages(playbook: Playbook) -> None:
    texts = texts_of(playbook)
    assert len(texts) > 80
    for text in texts:
        assert isinstance(text, dict), text
        assert set(text) == LANGUAGES, text
        assert all(words.strip() for words in text.values()), text
        assert re.search(r"[\u4e00-\u9fff]", text["zh"]), text
        assert text["de"] != text["en"], text


def test_a_demo_session_ends_in_seconds(playbook: Playbook) -> None:
    assert playbook.triggers.session_grace_s <= 3
    assert playbook.triggers.high_intent_active_s <= 5
    assert playbook.outbox.cooldown_s <= 5


def test_articles_are_worth_reading_and_headed_with_and_without_ids() -> None:
    articles = [page for path, page in load_pages().items() if path != "/"]
    assert len(articles) >= 8
    for page in articles:
        words = len(page.body.striptags().split())
        assert 500 <= words <= 900, (page.path, words)
        assert 4 <= len(page.sections) <= 7, page.path
        assert {bool(section.anchor) for section in page.sections} == {True, False}, page.path
        assert len({section.key for section in page.sections}) == len(page.sections)
        assert page.lede


def test_writing_the_directory_twice_gives_the_same_files(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_directory(tmp_path, ORIGIN)]
    assert [path.read_bytes() for path in write_directory(tmp_path, ORIGIN)] == first
    assert any(isinstance(entity, Content) for entity in read_directory(write_directory(tmp_path, ORIGIN)))
