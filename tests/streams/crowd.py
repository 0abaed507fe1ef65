"""A crowd of visitors, from a seed: what they do, in the order in which it reaches the collector, late and twice."""

import random
from collections.abc import Iterator

from schemas.delivery import ChannelKind
from schemas.directory import Account, Channel, Contact, Content, Directory, Entity, Rep, Stage
from schemas.envelope import Envelope
from schemas.events import Event, Identify, IdentifyMethod, PageProgress, PageView, SectionAttention
from tests.streams.journeys import SITE, envelope

START_MS = 1_790_000_000_000
PAGES = 30
STAGES = tuple(Stage)


class Crowd:
    """Accounts with contacts, and visitors of whom half become known at some time, most after they began to read."""

    def __init__(self, seed: int, *, visitors: int, accounts: int, contacts: int) -> None:
        """Take the sizes."""
        self._random = random.Random(seed)
        self._visitors = visitors
        self.account_of = {f"c{n}": f"a{n % accounts}" for n in range(contacts)}

    def directory(self) -> Directory:
        """Return the directory that knows the accounts."""
        made = Directory()
        for entity in self.entities():
            made.put(entity)
        return made

    def entities(self) -> Iterator[Entity]:
        """Yield what the directory holds."""
        email = Channel(kind=ChannelKind.email, target="rita@example.com")
        yield Rep(rep_id="rita", name="Rita", channels=(email,))
        for account_id in dict.fromkeys(self.account_of.values()):
            yield Account(account_id=account_id, name=account_id, rep_id="rita")
        for contact_id, account_id in self.account_of.items():
            yield Contact(contact_id=contact_id, account_id=account_id, name=contact_id)
        for n in range(PAGES):
            stage = STAGES[n % len(STAGES)]
            yield Content(url=f"{SITE}/{n}", title=f"Page {n}", topics=(f"t{n % 7}",), stage=stage, reading_time_s=60)

    def arriving(self, events: int) -> list[Envelope]:
        """Return so many events, and a fiftieth of them twice; a twentieth arrive later than others that followed."""
        happened: list[Envelope] = []
        at_ms = START_MS
        for view in range(events):
            if len(happened) >= events:
                break
            at_ms += self._random.randint(50, 1500)
            happened += self._visit(f"pv{view}", at_ms)
        happened = sorted(happened[:events], key=lambda one: (one.occurred_ms, one.event.event_id))
        places = [(n + self._delay(), n) for n in range(len(happened))]
        places += [(n + self._random.randint(1, 5000), n) for n in self._random.sample(range(events), events // 50)]
        return [happened[n] for _, n in sorted(places)]

    def _delay(self) -> int:
        return self._random.randint(1, 3000) if self._random.random() < 0.05 else 0

    def _visit(self, page_view_id: str, at_ms: int) -> Iterator[Envelope]:
        number = min(int(self._random.expovariate(4) * self._visitors), self._visitors - 1)
        visitor_id = f"v{number}"
        if number % 2 and self._random.random() < 0.1:
            contact_id = f"c{number % len(self.account_of)}"
            method = IdentifyMethod.email_link
            told = Identify(event_id=f"{page_view_id}i", occurred_ms=at_ms, contact_id=contact_id, method=method)
            yield envelope(visitor_id, at_ms, told)
        for event in self._read(page_view_id, at_ms):
            yield envelope(visitor_id, event.occurred_ms, event)

    def _read(self, page_view_id: str, at_ms: int) -> Iterator[Event]:
        url = f"{SITE}/{self._random.randrange(PAGES)}"
        view = {"page_view_id": page_view_id, "url": url, "title": "A page"}
        yield PageView(event_id=f"{page_view_id}v", occurred_ms=at_ms, **view)
        active_ms, depth = 0, 0
        for step in range(self._random.randint(1, 5)):
            spent_ms = self._random.randint(500, 20_000)
            active_ms += spent_ms
            depth = max(depth, self._random.randint(0, 100))
            at_ms += spent_ms + self._random.randint(0, 5_000)
            yield PageProgress(
                event_id=f"{page_view_id}p{step}",
                occurred_ms=at_ms,
                active_ms=active_ms,
                depth_pct=depth,
                sections=(SectionAttention(key="why", title="Why", active_ms=active_ms),),
                **view,
            )
