"""The events of the streams benchmark: pages read by visitors of accounts, some of them known. Pure, and seeded.

Every visitor reads at least one page, every account has at least one visitor; all beyond that goes by Zipf's law: who
reads once more, to which account a visitor belongs, which page is read. Every event is one envelope, byte for byte as
the collector writes it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

SITE = "www"
EXPONENT = 1.0  # of all Zipf distributions
PAGES = 40  # fewer than an interest summary lists, so that it lists all
TOPICS = 12
OPEN_PAGES = 2_000  # page views under way at the same time
KNOWN_RANK = 6  # from this rank on every 20th visitor: 5 % of the visitors, who also make 5 % of the events
DRAWN_AT_ONCE = 10_000
EVENTS_PER_PAGE_VIEW = 6.2  # a page view and three to seven beacons; a bit more, so that the last newcomer finds room
DAY_MS = 86_400_000

_TITLE = "What an hour of standstill costs"
_SECTIONS = (("what-it-costs", "What it costs"), ("who-pays", "Who pays"), ("what-to-do", "What to do about it"))


@dataclass(frozen=True)
class Workload:
    """How many events of how many visitors of how many accounts; one in `known_every` visitors is known."""

    events: int
    visitors: int
    accounts: int
    known_every: int
    ending_ms: int
    days: int = 5
    seed: int = 20
    account_step: int = 1  # accounts are numbered in steps, so that they lie among others

    @cached_property
    def accounts_of_visitors(self) -> list[str]:
        """The account of each visitor, by number."""
        dice = random.Random(f"{self.seed}-accounts")  # noqa: S311 - no secret
        chosen = _zipf(dice, self.accounts)
        numbers = [*range(self.accounts), *(next(chosen) for _ in range(self.visitors - self.accounts))]
        dice.shuffle(numbers)
        return [account_id(number * self.account_step) for number in numbers]

    def is_known(self, visitor: int) -> bool:
        """Tell whether a visitor, by number, will be identified."""
        return visitor % self.known_every == KNOWN_RANK % self.known_every

    @property
    def contacts(self) -> dict[str, str]:
        """The account of each known visitor's contact."""
        return {
            contact_id(visitor): account
            for visitor, account in enumerate(self.accounts_of_visitors)
            if self.is_known(visitor)
        }


def one_read(account: int, at_ms: int) -> bytes:
    """Return one envelope of a visitor who reads nothing else, in an account."""
    view = _PageView(f"reader-of-{account}", f"pv-of-{account}", url_of(account % PAGES), 1)
    return view.progress(account, at_ms, random.Random(account))  # noqa: S311 - no secret


def account_id(number: int) -> str:
    """Name an account."""
    return f"account-{number}"


def contact_id(visitor: int) -> str:
    """Name the contact that a visitor is."""
    return f"contact-{visitor}"


def url_of(page: int) -> str:
    """Return a page's canonical URL."""
    return f"https://www.example.com/guides/cost-of-standstill-{page}"


def contents() -> dict[str, list[str]]:
    """Return the topics of each page: one, two or three."""
    return {
        url_of(page): sorted({f"topic-{(page * 5 + i) % TOPICS}" for i in range(1 + page % 3)}) for page in range(PAGES)
    }


def events(load: Workload) -> Iterator[tuple[str, bytes]]:
    """Yield visitor and envelope of each event in the order of their times; a known visitor's first is `identify`."""
    dice = random.Random(load.seed)  # noqa: S311 - no secret
    visitors, pages = _visitors(dice, load), _zipf(dice, PAGES)
    identified: set[int] = set()
    under_way: list[_PageView] = []
    step_ms = load.days * DAY_MS / load.events
    begun = 0
    waiting: int | None = None  # just identified, about to read
    for number in range(load.events):
        at_ms = round(load.ending_ms - (load.events - number) * step_ms)
        slot = int(dice.random() * OPEN_PAGES)
        if slot < len(under_way) and not under_way[slot].left:
            view = under_way[slot]
            yield view.visitor_id, view.progress(number, at_ms, dice)
            continue
        visitor = next(visitors) if waiting is None else waiting
        waiting = None
        if load.is_known(visitor) and visitor not in identified:
            identified.add(visitor)
            waiting = visitor
            yield _visitor_id(visitor), _identify(visitor, number, at_ms)
            continue
        view = _PageView(_visitor_id(visitor), f"pv-{begun}", url_of(next(pages)), 3 + int(dice.random() * 5))
        begun += 1
        if slot < len(under_way):
            under_way[slot] = view
        else:
            under_way.append(view)
        yield view.visitor_id, view.opened(number, at_ms)


class _PageView:
    """One page being read, whose counters only grow."""

    def __init__(self, visitor_id: str, page_view_id: str, url: str, beacons: int) -> None:
        self.visitor_id = visitor_id
        self._head = f'"page_view_id":"{page_view_id}","url":"{url}"'
        self._beacons = beacons
        self._sent = 0
        self._active_ms = 0

    @property
    def left(self) -> bool:
        return self._sent >= self._beacons

    def opened(self, number: int, at_ms: int) -> bytes:
        return _envelope(
            self.visitor_id,
            at_ms,
            f'{{"event_id":"e-{number}","occurred_ms":{at_ms},{self._head},"type":"page_view","title":"{_TITLE}",'
            '"referrer":"https://www.example.com/","viewport":"desktop","lang":"en-GB"}',
        )

    def progress(self, number: int, at_ms: int, dice: random.Random) -> bytes:
        self._sent += 1
        self._active_ms += 1_000 + int(dice.random() * 14_000)
        depth_pct = 100 * self._sent // self._beacons
        bands = ",".join(str(self._active_ms // 10 if 10 * band <= depth_pct else 0) for band in range(10))
        sections = ",".join(
            f'{{"key":"{key}","title":"{title}","active_ms":{self._active_ms // (2 + i)}}}'
            for i, (key, title) in enumerate(_SECTIONS)
        )
        return _envelope(
            self.visitor_id,
            at_ms,
            f'{{"event_id":"e-{number}","occurred_ms":{at_ms},{self._head},"type":"page_progress","title":"{_TITLE}",'
            f'"active_ms":{self._active_ms},"depth_pct":{depth_pct},"bands":[{bands}],"sections":[{sections}],'
            f'"left":{"true" if self.left else "false"}}}',
        )


def _identify(visitor: int, number: int, at_ms: int) -> bytes:
    return _envelope(
        _visitor_id(visitor),
        at_ms,
        f'{{"event_id":"e-{number}","occurred_ms":{at_ms},"type":"identify","contact_id":"{contact_id(visitor)}",'
        '"method":"email_link","campaign_id":"spring"}',
    )


def _envelope(visitor_id: str, at_ms: int, event: str) -> bytes:
    return (
        f'{{"site":"{SITE}","visitor_id":"{visitor_id}","sent_ms":{at_ms},"received_ms":{at_ms},'
        f'"occurred_ms":{at_ms},"event":{event},"automated":false}}'
    ).encode()


def _visitor_id(visitor: int) -> str:
    return f"visitor-{visitor:012d}"


def _visitors(dice: random.Random, load: Workload) -> Iterator[int]:
    """Yield who opens each page: all visitors once, spread over the time, and between them visitors that return."""
    newcomers = list(range(load.visitors))
    dice.shuffle(newcomers)
    page_views = (load.events - load.visitors / load.known_every) / EVENTS_PER_PAGE_VIEW
    share = min(1.0, load.visitors / page_views)
    returning = _zipf(dice, load.visitors)
    while True:
        yield newcomers.pop() if newcomers and dice.random() < share else next(returning)


def _zipf(dice: random.Random, count: int) -> Iterator[int]:
    """Yield numbers below `count`, each with a probability by its rank."""
    weights = list(accumulate((rank + 1) ** -EXPONENT for rank in range(count)))
    while True:
        yield from dice.choices(range(count), cum_weights=weights, k=DRAWN_AT_ONCE)
