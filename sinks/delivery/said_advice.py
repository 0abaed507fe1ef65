"""What to stress, what to say and whom to bring, as the playbook has it: each text with its place there."""

from collections.abc import Iterator, Mapping

from schemas.brief import BringReason, Colleague, Focus
from schemas.directory import Function
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped, one_line
from sinks.delivery.speaker import Speaker, reads_evidence

MAX_TITLES = 2
MAX_TITLE_AND_REACH = 120
MAX_PITCHES = 3
MAX_ASKED = 2
MAX_OBJECTIONS = 2


def focus_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield the topics to stress, each with the pages that show it."""
    advice, phrases = speaker.brief.advice, speaker.phrases
    for focus in advice.focus:
        yield _focus_line(focus, speaker)
    if not advice.focus and advice.topics:
        yield Line(phrases.listed(tuple(map(one_line, advice.topics))), ("brief:advice",))


def _focus_line(focus: Focus, speaker: Speaker) -> Line:
    phrases = speaker.phrases
    shown = {read.page_view_id: read for read in speaker.brief.reads}
    reads = tuple(shown[each] for each in focus.page_view_ids if each in shown)
    titles = tuple(dict.fromkeys(speaker.quoted(read.title) for read in reads))[:MAX_TITLES]
    time = phrases.duration(focus.active_s)
    evidence = (f"playbook:topics.{focus.topic}.name", *reads_evidence(reads), "brief:advice")
    told = phrases.say("focus.shown", time=time, titles=phrases.listed(titles)) if titles else time
    if focus.readers > 1:
        told = phrases.say("focus.readers", told=told, n=focus.readers)
    return Line(phrases.labelled(one_line(focus.name), told), evidence, lead=one_line(focus.name))


def next_step_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield what to do next: who reads no further has the most of it."""
    if step := speaker.brief.advice.next_step:
        yield Line(one_line(step), (_Sources(speaker.brief.advice.sources, speaker).evidence(step),))


def say_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield the pitch per topic, questions, objections, concerns per function, and references."""
    advice, phrases = speaker.brief.advice, speaker.phrases
    source = _Sources(advice.sources, speaker)
    for text in advice.stress[:MAX_PITCHES]:
        yield source.line(source.topic(text) or phrases.say("stress"), text)
    for text in advice.ask[:MAX_ASKED]:
        yield source.line(phrases.say("ask"), text)
    for objection in advice.objections[:MAX_OBJECTIONS]:
        label = phrases.say("objection", says=phrases.quoted(one_line(objection.says)))
        evidence = (source.evidence(objection.says), source.evidence(objection.answer))
        yield Line(phrases.labelled(label, one_line(objection.answer)), evidence, lead=label)
    for text in advice.concerns:
        yield source.line(source.function(text) or phrases.say("concerns_plain"), text)
    for text in advice.references:
        yield source.line(phrases.say("references"), text)


class _Sources:
    """Tells where in the playbook a text stands; of an older writer's brief only that it advised so."""

    def __init__(self, sources: Mapping[str, str], speaker: Speaker) -> None:
        self._sources = sources
        self._speaker = speaker
        self._names = {path: text for text, path in sources.items() if path.endswith(".name")}

    def evidence(self, text: str) -> str:
        path = self._sources.get(text)
        return f"playbook:{path}" if path else "brief:advice"

    def line(self, label: str, text: str) -> Line:
        evidence = [self.evidence(text)]
        if path := self._topic_path(text):
            evidence.append(f"playbook:{path}")
        return Line(self._speaker.phrases.labelled(label, one_line(text)), tuple(evidence), lead=label)

    def _topic_path(self, text: str) -> str:
        kind, _, rest = self._sources.get(text, "").partition(".")
        path = f"topics.{rest.partition('.')[0]}.name"
        return path if kind == "topics" and path in self._names else ""

    def topic(self, text: str) -> str:
        """Return the name of the topic that a text belongs to; empty if that is not known."""
        return one_line(self._names.get(self._topic_path(text), ""))

    def function(self, text: str) -> str:
        """Return whose concern a text is; empty if that is not known."""
        kind, _, rest = self._sources.get(text, "").partition(".")
        function = rest.partition(".")[0]
        if kind != "concerns" or function not in set(Function):
            return ""
        return self._speaker.phrases.say("concern_of", function=self._speaker.phrases.say(f"function.{function}"))


def bring_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield whom to bring and why, each colleague once."""
    advice = speaker.brief.advice
    seen = set()
    for colleague in advice.bring:
        name = speaker.rep_name(colleague.rep_id) if colleague.rep_id else clipped(colleague.name, MAX_TITLE_AND_REACH)
        if name and name not in seen:
            seen.add(name)
            yield _colleague_line(colleague, name, speaker)
    if advice.expert and not advice.bring:
        yield Line(one_line(advice.expert), (_Sources(advice.sources, speaker).evidence(advice.expert),))


def _colleague_line(colleague: Colleague, name: str, speaker: Speaker) -> Line:
    about, evidence = one_line(colleague.about), ["brief:advice"]
    if colleague.path:
        evidence.append(f"playbook:{colleague.path}")
    if colleague.rep_id:
        evidence.append(f"rep:{colleague.rep_id}")
    if colleague.reason is BringReason.hot_and_large:
        evidence += [speaker.account_evidence, "summary:temperature"]
    if colleague.reason is BringReason.topic_expert:
        evidence.append(f"playbook:{speaker.brief.advice.sources.get(colleague.about, '')}")
    if colleague.reason is BringReason.content_owner:
        content = speaker.content(colleague.about)
        evidence.append(f"content:{colleague.about}")
        about = speaker.quoted(content.title if content else "")
    theirs = colleague.reason is BringReason.silent_rep and colleague.rep_id == speaker.brief.escalated_from
    if colleague.reason is BringReason.silent_rep:
        evidence.append(speaker.account_evidence)
    key = "bring.silent_rep_theirs" if theirs else f"bring.{colleague.reason}"
    why = speaker.phrases.say(key, about=about, account=speaker.account)
    return Line(speaker.phrases.labelled(name, why), tuple(evidence), lead=name)
