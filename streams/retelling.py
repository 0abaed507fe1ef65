"""The same advice in another language: what was taken from the playbook is taken from the same place again. Pure."""

from typing import Any

from pydantic import BaseModel

from schemas.brief import Advice, Brief
from schemas.playbook import Playbook


def in_language(brief: Brief, language: str, playbook: Playbook) -> Brief:
    """Return the brief in another language.

    A text whose place the playbook no longer has, or has something else at now, stays as it was said.
    """
    if language == brief.language:
        return brief
    words = {
        text: _said_at(path, text, brief.language, language, playbook) for text, path in brief.advice.sources.items()
    }
    return brief.model_copy(update={"language": language, "advice": _advice(brief.advice, words)})


def _said_at(path: str, text: str, before: str, after: str, playbook: Playbook) -> str:
    value = _at(path, playbook)
    if not isinstance(value, str | dict) or playbook.say(value, before) != text:
        return text
    return playbook.say(value, after)


def _at(path: str, playbook: Playbook) -> Any:
    """Return what stands at a place of the playbook, None if there is no such place."""
    value: Any = playbook
    for step in path.split("."):
        if isinstance(value, BaseModel):
            value = getattr(value, step, None)
        elif isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, tuple) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _advice(advice: Advice, words: dict[str, str]) -> Advice:
    def say(text: str) -> str:
        return words.get(text, text)

    def all_of(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(say, texts))

    return advice.model_copy(
        update={
            "topics": all_of(advice.topics),
            "stress": all_of(advice.stress),
            "ask": all_of(advice.ask),
            "objections": tuple(
                one.model_copy(update={"says": say(one.says), "answer": say(one.answer)}) for one in advice.objections
            ),
            "concerns": all_of(advice.concerns),
            "references": all_of(advice.references),
            "next_step": say(advice.next_step),
            "focus": tuple(one.model_copy(update={"name": say(one.name)}) for one in advice.focus),
            "bring": tuple(one.model_copy(update={"about": say(one.about)}) for one in advice.bring),
            "sources": {say(text): path for text, path in advice.sources.items()},
        }
    )
