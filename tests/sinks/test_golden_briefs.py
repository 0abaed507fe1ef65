"""Golden briefs: what a rep reads in each situation and language, and that nothing of it is invented.

After a change that is meant, `python -m tests.sinks.golden_briefs` writes them anew; read the difference.
"""

from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from sinks.delivery.document import Line, MessageDocument, SectionKind
from sinks.delivery.layout import document_of
from sinks.delivery.phrases import phrases_for
from tests.sinks.brief_sources import Sources
from tests.sinks.golden_briefs import FOLDER, golden_path, rendered
from tests.sinks.golden_situations import SITUATIONS
from tests.sinks.golden_world import LANGUAGES, PLAYBOOK, delivery_of


def lines_of(document: MessageDocument) -> Iterator[tuple[int, Line]]:
    """Yield every sentence with the number of its brief."""
    for number, brief in enumerate(document.briefs):
        yield number, brief.headline
        for section in brief.sections:
            for line in section.lines:
                yield number, line
                yield from ((number, detail) for detail in line.detail)


def sources(name: str, language: str) -> tuple[MessageDocument, list[Sources]]:
    delivery, directory = delivery_of(SITUATIONS[name], language)
    phrases, zone = phrases_for(LANGUAGES[language][0]), ZoneInfo(LANGUAGES[language][1])
    found = [Sources(brief, directory, PLAYBOOK, phrases, zone) for brief in delivery.briefs]
    return document_of(delivery, directory), found


def test_there_are_golden_briefs_of_many_situations_and_no_others() -> None:
    kept = set(FOLDER.glob("*/*.txt"))
    assert kept == {golden_path(name, language) for name in SITUATIONS for language in LANGUAGES}
    assert len(SITUATIONS) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_brief_reads_as_the_golden_one(name: str, language: str) -> None:
    message = rendered(name, language)
    assert f"{message.subject}\n\n{message.text}" == golden_path(name, language).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_every_sentence_says_only_what_its_evidence_says(name: str, language: str) -> None:
    document, found = sources(name, language)
    for number, line in lines_of(document):
        assert line.evidence, line.text
        assert found[number].invented(line) == "", line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_with_a_word_or_figure_of_its_own_is_found_out(language: str) -> None:
    document, (found,) = sources("turned hot, purchasing read the price twice", language)
    for _, line in lines_of(document):
        for forged in (line.text + " Globex", line.text + " 4711", line.text.replace("Petra", "Paula")):
            if forged != line.text:
                assert found.invented(replace(line, text=forged)), forged
    (what,) = (section for section in document.briefs[0].sections if section.kind is SectionKind.what)
    # The right words beside the wrong evidence are invented too.
    assert found.invented(replace(what.lines[0], evidence=what.lines[1].evidence))


@pytest.mark.parametrize("name", SITUATIONS)
def test_sections_come_in_the_order_of_use_and_none_is_empty(name: str) -> None:
    document, _ = sources(name, "en")
    order = list(SectionKind)
    for brief in document.briefs:
        kinds = [order.index(section.kind) for section in brief.sections]
        assert kinds == sorted(set(kinds))
        assert all(section.lines for section in brief.sections)


FIRST_GLANCE = (SectionKind.correction, SectionKind.why_now, SectionKind.next_step)
WORDS_IN_FIFTEEN_SECONDS = 60


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_changed_why_now_and_what_to_do_are_read_in_fifteen_seconds(name: str) -> None:
    document, _ = sources(name, "en")
    for brief in document.briefs:
        glance = [line.text for section in brief.sections if section.kind in FIRST_GLANCE for line in section.lines]
        assert len(" ".join([brief.headline.text, *glance]).split()) <= WORDS_IN_FIFTEEN_SECONDS
