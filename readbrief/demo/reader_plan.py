"""Who reads what in the demo: a plan drawn from a seed, so that each run is like the last. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from readbrief.demo.pages import Page, Section
from schemas.directory import Contact, Function
from schemas.events import Viewport

READERS = 40
SPREAD_S = 24.0

_EARLIER_SHARE = 0.35
_FORM_PATH = "/pricing"
_FORM_DEPTH_PCT = 85
_SHORTEST_S = 8
_LIVE_S = (3.0, 6.0)
_PHONE_SHARE = 0.3
_SCANNERS = 2
_TASTES: dict[Function | None, tuple[str, ...]] = {
    Function.executive: ("/cost-of-standstill", "/pricing", "/route-or-continuous"),
    Function.department_head: ("/why-pumps-fail", "/how-it-works", "/first-thirty-days", "/pricing"),
    Function.user: ("/first-thirty-days", "/how-it-works"),
    Function.technical_lead: ("/security", "/how-it-works", "/retrofit"),
    Function.technician: ("/why-pumps-fail", "/retrofit", "/how-it-works"),
    Function.purchasing_head: ("/pricing", "/contract", "/route-or-continuous"),
    Function.purchaser: ("/contract", "/pricing"),
    None: ("/why-pumps-fail", "/cost-of-standstill", "/how-it-works", "/route-or-continuous", "/retrofit"),
}


@dataclass(frozen=True)
class PageRead:
    """One page as somebody will read it: how long (active seconds), how far, where they linger, where they go on."""

    path: str
    active_s: int
    depth_pct: int
    lingers_in: Section
    clicks_to: str = ""
    sends_form: bool = False


@dataclass(frozen=True)
class Reader:
    """One simulated reader: known by an email link if there is a contact; a scanner follows links and reads nothing.

    `starts_s` and `live_s` are real seconds; what is read of `earlier` was read before the reader was known.
    """

    name: str
    contact_id: str | None
    starts_s: float
    live_s: float
    viewport: Viewport
    language: str
    reads: tuple[PageRead, ...]
    earlier: tuple[PageRead, ...] = ()

    @property
    def scanner(self) -> bool:
        """Say whether this is a mail scanner and no person."""
        return not self.reads


def plan_readers(
    pages: Mapping[str, Page],
    contacts: Sequence[Contact],
    languages: Mapping[str, str],
    *,
    count: int = READERS,
    spread_s: float = SPREAD_S,
    seed: int = 7,
) -> tuple[Reader, ...]:
    """Return the readers, in the order in which they come; `languages` are those of the contacts by id.

    Every contact reads once as long as the count allows; two mail scanners come, and the rest remain anonymous.
    """
    random = Random(seed)  # noqa: S311 - a demo's dice
    known = list(contacts[: max(0, count - _SCANNERS)])
    scanned = random.sample(list(contacts), min(_SCANNERS, count, len(contacts)))
    anonymous = max(0, count - len(known) - len(scanned))
    readers = [_person(random, pages, contact, languages.get(contact.contact_id, "en"), spread_s) for contact in known]
    readers += [_scanner(random, contact, spread_s) for contact in scanned]
    readers += [_anonymous(random, pages, f"anonymous-{number}", spread_s) for number in range(1, anonymous + 1)]
    return tuple(sorted(readers, key=lambda reader: (reader.starts_s, reader.name)))


def _person(random: Random, pages: Mapping[str, Page], contact: Contact, language: str, spread_s: float) -> Reader:
    paths = list(_TASTES.get(contact.function, _TASTES[None]))
    wanted = paths[: random.choice((1, 2, 2, 3))]
    earlier = random.sample([path for path in _TASTES[None] if path not in wanted], k=random.choice((1, 2)))
    live_s = random.uniform(*_LIVE_S)
    return Reader(
        name=contact.contact_id,
        contact_id=contact.contact_id,
        starts_s=random.uniform(0, max(0.0, spread_s - live_s)),
        live_s=live_s,
        viewport=_viewport(random),
        language=language,
        reads=_reads(random, pages, wanted, (0.4, 1.1)),
        earlier=_reads(random, pages, earlier, (0.3, 0.9)) if random.random() < _EARLIER_SHARE else (),
    )


def _anonymous(random: Random, pages: Mapping[str, Page], name: str, spread_s: float) -> Reader:
    paths = random.sample(list(pages), k=random.choice((1, 1, 2)))
    live_s = random.uniform(*_LIVE_S)
    return Reader(
        name=name,
        contact_id=None,
        starts_s=random.uniform(0, max(0.0, spread_s - live_s)),
        live_s=live_s,
        viewport=_viewport(random),
        language=random.choice(("en", "en", "de", "zh")),
        reads=_reads(random, pages, paths, (0.05, 0.7)),
    )


def _scanner(random: Random, contact: Contact, spread_s: float) -> Reader:
    return Reader(
        name=f"scanner-of-{contact.contact_id}",
        contact_id=contact.contact_id,
        starts_s=random.uniform(0, spread_s),
        live_s=0.0,
        viewport=Viewport.desktop,
        language="en",
        reads=(),
    )


def _viewport(random: Random) -> Viewport:
    return Viewport.mobile if random.random() < _PHONE_SHARE else Viewport.desktop


def _reads(
    random: Random, pages: Mapping[str, Page], paths: Sequence[str], share: tuple[float, float]
) -> tuple[PageRead, ...]:
    """Return reads of pages in turn; of the expected reading time each takes a share between the two given."""
    reads = []
    for number, path in enumerate(paths):
        page, part = pages[path], random.uniform(*share)
        depth_pct = min(100, round(35 + 70 * part))
        last = number == len(paths) - 1
        reads.append(
            PageRead(
                path=path,
                active_s=max(_SHORTEST_S, round(page.reading_time_s * part)),
                depth_pct=depth_pct,
                lingers_in=random.choice(page.reached(depth_pct)),
                clicks_to="" if last else paths[number + 1],
                sends_form=last and path == _FORM_PATH and depth_pct >= _FORM_DEPTH_PCT,
            )
        )
    return tuple(reads)
