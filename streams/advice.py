"""What to stress, what to say and whom to bring: the playbook's answer to what was read.

Few and weightiest: a rep reads it in seconds. Every text is kept with its place in the playbook.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from schemas.brief import Advice, BringReason, Colleague, Focus, Objection
from schemas.directory import Account, Directory, Rep
from schemas.interest import TEMPERATURES, Interest
from schemas.playbook import Playbook, Text
from streams.interest import topic_weights
from streams.weighing import Weighed

MAX_FOCUS = 3
MAX_TOPICS = 2
MAX_EVIDENCE = 5
MAX_PER_TOPIC = 2  # of one topic alone; two share them
MAX_FUNCTIONS = 3
MAX_REFERENCES = 2
FOCUS_SHARE = 0.2
"""A topic with less than this share of the heaviest one's weight is not worth stressing."""


class _Sayer:
    """Says the playbook's texts in one language, and notes where each stands."""

    def __init__(self, playbook: Playbook, language: str) -> None:
        self.playbook = playbook
        self.language = language
        self.sources: dict[str, str] = {}

    def say(self, text: Text, path: str) -> str:
        said = self.playbook.say(text, self.language)
        self.sources.setdefault(said, path)
        return said

    def say_all(self, texts: Sequence[Text], path: str, at_most: int) -> Iterator[str]:
        for number, text in enumerate(texts[:at_most]):
            yield self.say(text, f"{path}.{number}")

    def topic(self, topic: str) -> str:
        play = self.playbook.topics.get(topic)
        return self.say(play.name, f"topics.{topic}.name") if play else topic


def advise(
    weighed: Sequence[Weighed], interest: Interest, account: Account, rep: Rep, directory: Directory, playbook: Playbook
) -> Advice:
    """Return what the playbook says to reads, the heaviest topics first, in the rep's language."""
    sayer = _Sayer(playbook, rep.language)
    weights = topic_weights(weighed)
    topics = [weight.topic for weight in weights]
    names = _distinct(sayer.topic(topic) for topic in topics[:MAX_FOCUS])
    focus = tuple(
        _focus(weight.topic, sayer, weighed)
        for weight in weights[:MAX_FOCUS]
        if weight.weight >= FOCUS_SHARE * weights[0].weight
    )
    plays = [(topic, playbook.topics[topic]) for topic in topics if topic in playbook.topics][:MAX_TOPICS]
    industry, each = account.industry or "", MAX_PER_TOPIC // max(1, len(plays))
    return Advice(
        topics=names,
        stress=_distinct(
            said for topic, play in plays for said in sayer.say_all(play.stress, f"topics.{topic}.stress", each)
        ),
        ask=_distinct(said for topic, play in plays for said in sayer.say_all(play.ask, f"topics.{topic}.ask", each)),
        objections=tuple(_objections(topics, sayer))[:MAX_PER_TOPIC],
        concerns=_distinct(_concerns(weighed, directory, sayer)),
        references=_distinct(
            sayer.say_all(playbook.references.get(industry, ()), f"references.{industry}", MAX_REFERENCES)
        ),
        expert=next((_expert_name(play.expert, playbook) for _, play in plays if play.expert), ""),
        next_step=_next_step(interest, sayer),
        focus=focus,
        bring=tuple(_bring(plays[0][0] if plays else "", weighed, interest, account, rep, directory, sayer)),
        sources=sayer.sources,
    )


def _distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _focus(topic: str, sayer: _Sayer, weighed: Sequence[Weighed]) -> Focus:
    of_it = [one for one in weighed if one.content and topic in one.content.topics]
    heaviest = sorted(of_it, key=lambda one: (-one.weight_ms, one.read.page_view_id))
    return Focus(
        topic=topic,
        name=sayer.topic(topic),
        page_view_ids=tuple(one.read.page_view_id for one in heaviest[:MAX_EVIDENCE]),
        active_s=round(sum(one.read.active_ms for one in of_it) / 1000),
        readers=len({one.reader for one in of_it}),
    )


def _objections(topics: Sequence[str], sayer: _Sayer) -> Iterator[Objection]:
    for topic in topics:
        play = sayer.playbook.topics.get(topic)
        for number, objection in enumerate(play.objections if play else ()):
            path = f"topics.{topic}.objections.{number}"
            yield Objection(
                says=sayer.say(objection.says, f"{path}.says"), answer=sayer.say(objection.answer, f"{path}.answer")
            )


def _concerns(weighed: Sequence[Weighed], directory: Directory, sayer: _Sayer) -> Iterator[str]:
    """Yield what each reading function cares about first, in the order of how much they read."""
    spent: dict[str, int] = defaultdict(int)
    for one in weighed:
        spent[one.read.contact_id] += one.read.active_ms
    keenest = sorted(spent, key=lambda contact_id: (-spent[contact_id], contact_id))
    functions = dict.fromkeys(
        contact.function
        for contact_id in keenest
        if (contact := directory.contacts.get(contact_id)) and contact.function
    )
    for function in list(functions)[:MAX_FUNCTIONS]:
        concerns = sayer.playbook.concerns.get(function, ())
        yield from sayer.say_all(concerns, f"concerns.{function}", 1)


def _next_step(interest: Interest, sayer: _Sayer) -> str:
    """Return the next step of the stage of buying at this temperature, else that of the temperature alone."""
    playbook, temperature, stage = sayer.playbook, interest.temperature, interest.buying_stage
    if stage and (text := playbook.next_steps_at.get(stage, {}).get(temperature)):
        return sayer.say(text, f"next_steps_at.{stage}.{temperature}")
    if text := playbook.next_steps.get(temperature):
        return sayer.say(text, f"next_steps.{temperature}")
    return ""


def _bring(
    topic: str,
    weighed: Sequence[Weighed],
    interest: Interest,
    account: Account,
    rep: Rep,
    directory: Directory,
    sayer: _Sayer,
) -> Iterator[Colleague]:
    playbook = sayer.playbook
    if topic and (said := playbook.topics[topic].expert):
        expert = playbook.experts.get(said)
        path = f"experts.{said}" if expert else f"topics.{topic}.expert"
        name = _expert_name(said, playbook)
        yield Colleague(reason=BringReason.topic_expert, name=name, about=sayer.topic(topic), path=path)
    heaviest = max(weighed, key=lambda one: (one.weight_ms, one.read.page_view_id), default=None)
    if heaviest and heaviest.content and heaviest.content.owner:
        url = heaviest.content.url
        yield Colleague(reason=BringReason.content_owner, name=heaviest.content.owner, about=url)
    rules, manager = playbook.bring, directory.reps.get(rep.manager_id or "")
    warm_enough = rules.manager_when is not None and TEMPERATURES.index(interest.temperature) >= TEMPERATURES.index(
        rules.manager_when
    )
    large = account.industry in rules.large_industries or (
        len(directory.contacts_of(account.account_id)) >= rules.large_from_people
    )
    if manager and warm_enough and large:
        yield Colleague(reason=BringReason.hot_and_large, rep_id=manager.rep_id, path="bring.manager_when")


def _expert_name(said: str, playbook: Playbook) -> str:
    expert = playbook.experts.get(said)
    if expert is None:
        return said
    return f"{expert.name}, {expert.reach}" if expert.reach else expert.name
