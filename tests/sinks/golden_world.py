"""The company, its customers and their reading of which the golden briefs tell; the playbook is the demo's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.brief import Brief, Colleague, Trigger, TriggerKind
from schemas.channel import ChannelKind
from schemas.delivery import Delivery
from schemas.directory import Account, BuyingRole, Channel, Contact, Content, Directory, Function, Lifecycle, Rep, Stage
from schemas.emails import MailFact, Mailing, MailKind
from schemas.events import IdentifyMethod
from schemas.playbook import TemperatureRules, load_playbook
from schemas.reads import ClickMark, Read
from schemas.rep_mail import Released
from streams.briefing import Occasion, compose
from streams.email_interest import mails_of
from streams.escalation import escalate
from streams.interest import summarise
from streams.outbox import OutboxState

LANGUAGES = {
    "en": ("en-GB", "Europe/London"),
    "zh-Hans": ("zh-CN", "Asia/Shanghai"),
    "zh-Hant": ("zh-TW", "Asia/Taipei"),
}
NOW_MS = 1_795_356_300_000  # 2026-11-22 14:05 UTC
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SITE = "https://www.nordhaven.example"
_DEMO = load_playbook(Path(__file__).parents[2] / "readbrief/demo/company/playbook.yaml")
PLAYBOOK = _DEMO.model_copy(update={"temperature": TemperatureRules()})  # the demo's own is slow to be hot

_CONTENTS = (
    ("/pricing", "One price per machine", ("pricing", "return-on-investment"), Stage.price, "Sales operations", 180),
    ("/contract", "Nine pages an engineer can read", ("contract-terms",), Stage.contract, "Legal", 200),
    ("/security", "What security people will ask", ("data-security", "integration"), Stage.security, "Security", 210),
    ("/cost", "What a standstill costs", ("unplanned-downtime", "return-on-investment"), Stage.problem, "", 220),
    ("/how-it-works", "From a shaking housing to one sentence", ("condition-monitoring",), Stage.solution, "", 200),
    ("/retrofit", "Nineteen years old and finally watched", ("retrofit",), Stage.solution, "", 190),
    ("/compare", "The round, the wire or the radio", ("condition-monitoring",), Stage.comparison, "", 190),
    ("/first-thirty-days", "The first thirty days", ("onboarding",), Stage.onboarding, "Customer success", 200),
    ("/renew", "Renewing for a second year", ("contract-terms",), Stage.renewal, "Customer success", 90),
)  # fmt: skip
_PEOPLE = (
    ("petra", "acme", "Petra Lang", "Head of purchasing", Function.purchasing_head, BuyingRole.buyer),
    ("tom", "acme", "Tom Reed", "Plant manager", Function.department_head, BuyingRole.decider),
    ("tina", "acme", "Tina Wu", "Automation lead", Function.technical_lead, BuyingRole.influencer),
    ("eva", "big", "Eva Stone", "Chief executive", Function.executive, BuyingRole.decider),
    ("ben", "big", "Ben Ito", "Maintenance technician", Function.technician, None),
    ("carl", "big", "Carl Voss", "Purchaser", Function.purchaser, BuyingRole.buyer),
    ("dora", "big", "Dora Klein", "Line operator", Function.user, BuyingRole.user),
    ("lena", "lead", "Lena Marsh", "", None, None),
)

_PHONES = {"petra": "+49305550134", "tina": "+49305550134;ext=17"}


def a_directory() -> Directory:
    directory = Directory()
    mail = (Channel(kind=ChannelKind.email, target="rep@nordhaven.example"),)
    for name, (tag, zone) in LANGUAGES.items():
        directory.put(
            Rep(
                rep_id=f"rep-{name}",
                name="Maya Collins",
                language=tag,
                time_zone=zone,
                channels=mail,
                manager_id="boss",
            )
        )
        directory.put(Rep(rep_id=f"boss-{name}", name="Jonas Weber", language=tag, time_zone=zone, channels=mail))
    directory.put(Rep(rep_id="boss", name="Jonas Weber", channels=mail))
    for account in (
        Account(account_id="acme", name="Acme Foods", rep_id="rep-en", industry="food"),
        Account(account_id="big", name="Brenner Pumps", rep_id="rep-en", industry="machinery"),
        Account(account_id="lead", name="Lakeside Co-op", rep_id="rep-en"),
    ):
        directory.put(account)
    for contact_id, account_id, name, title, function, role in _PEOPLE:
        directory.put(
            Contact(
                contact_id=contact_id,
                account_id=account_id,
                name=name,
                title=title,
                function=function,
                role=role,
                email=f"{contact_id}@{account_id}.example",
                phone=_PHONES.get(contact_id),
            )
        )
    for path, title, topics, stage, owner, reading_time_s in _CONTENTS:
        directory.put(
            Content(
                url=SITE + path, title=title, topics=topics, stage=stage, owner=owner, reading_time_s=reading_time_s
            )
        )
    return directory


def mailing(campaign: str, contact_id: str, *facts: MailFact) -> Mailing:
    """Make one campaign's mail to a contact, and what was reported of it."""
    return Mailing(contact_id=contact_id, campaign_id=campaign, facts={one.event_id: one for one in facts})


def fact(kind: MailKind, ago_s: int, path: str = "", **said: Any) -> MailFact:
    """Make a report of a mail, so long before the brief; a click's target by its path."""
    target = {"url": SITE + path} if path else {}
    return MailFact(event_id=f"ev-{kind}-{ago_s}", kind=kind, at_ms=NOW_MS - 1000 * ago_s, **target, **said)


def read(name: str, path: str, contact_id: str, active_s: int, depth_pct: int, **facts: Any) -> Read:
    """Make a read that ended at `ago_s` before the brief; `sections` in seconds, `clicks` by their text."""
    ago_ms = 1000 * facts.pop("ago_s", 60)
    sections = {title: 1000 * seconds for title, seconds in facts.pop("sections", {}).items()}
    clicks = {f"ev-{name}-{at}": text for at, text in enumerate(facts.pop("clicks", ()))}
    last_ms = NOW_MS - ago_ms
    said: dict[str, Any] = {
        "page_view_id": f"pv-{name}",
        "visitor_id": f"visitor-{contact_id or name}",
        "site": "www",
        "contact_id": contact_id,
        "method": IdentifyMethod.email_link if contact_id else IdentifyMethod.network,
        "confidence": 90 if contact_id else 25,
        "url": SITE + path,
        "started_ms": last_ms - 1000 * active_s,
        "last_ms": last_ms,
        "active_ms": 1000 * active_s,
        "depth_pct": depth_pct,
        "sections": sections,
        "section_titles": {title: title for title in sections},
        "clicks": {number: ClickMark(element="a", text=text, href=SITE) for number, text in clicks.items()},
        "known": True,
    }
    return Read(**(said | facts))


@dataclass(frozen=True)
class Story:
    """What happened at an account, and what of it makes the brief."""

    reads: Sequence[Read]
    kind: TriggerKind = TriggerKind.session_end
    account_id: str = "acme"
    trigger_read: str = ""
    told: dict[str, int] = field(default_factory=dict)
    occasion: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    bring: tuple[Colleague, ...] = ()
    gone: tuple[str, ...] = ()
    playbook: dict[str, Any] = field(default_factory=dict)
    trigger: dict[str, Any] = field(default_factory=dict)
    mails: tuple[Mailing, ...] = ()
    silent_rep: bool = False

    def brief(self, language: str, directory: Directory) -> Brief:
        """Compose the brief as the accounts stage does; what is gone is taken out of the directory first."""
        for entity_id in self.gone:
            directory.remove(entity_id)
        lifecycle = {} if self.account_id == "lead" else {"lifecycle": Lifecycle.opportunity}
        account = directory.accounts[self.account_id].model_copy(update=lifecycle | self.account)
        directory.put(account)
        playbook = PLAYBOOK.model_copy(update=self.playbook)
        rep = directory.reps[f"rep-{language}"]
        mails = mails_of({one.campaign_id: one for one in self.mails}, self.reads)
        interest = summarise(self.account_id, self.reads, directory, playbook, mails=mails)
        everything = "hand_over" in self.occasion
        fresh = [one for one in self.reads if everything or one.active_ms > self.told.get(one.page_view_id, 0)]
        about = next((one for one in fresh if one.page_view_id == self.trigger_read), fresh[0])
        trigger = Trigger(kind=self.kind, met_ms=NOW_MS, page_view_id=about.page_view_id, url=about.url, **self.trigger)
        occasion = Occasion(trigger, fresh, self.told, interest, **self.occasion)
        brief = compose(occasion, account, rep, directory, playbook)
        bring = (*brief.advice.bring, *self.bring)
        return brief.model_copy(update={"advice": brief.advice.model_copy(update={"bring": bring}), **self.changes})


def delivery_of(stories: Sequence[Story], language: str) -> tuple[Delivery, Directory]:
    """Compose stories as one message for the rep of a language."""
    directory = a_directory()
    if any(story.silent_rep for story in stories):
        briefs = tuple(_escalated(story, language, directory) for story in stories)
    else:
        briefs = tuple(story.brief(language, directory) for story in stories)
    delivery = Delivery(
        delivery_id="delivery-1",
        rep_id=briefs[-1].rep_id,
        channel=ChannelKind.email,
        briefs=briefs,
        released_ms=NOW_MS,
    )
    return delivery, directory


def _escalated(story: Story, language: str, directory: Directory) -> Brief:
    """Leave the brief of a rep of another language unopened until the manager, of this one, is told."""
    names = [*LANGUAGES]
    other = names[names.index(language) - 1]
    rep = directory.reps[f"rep-{other}"].model_copy(update={"manager_id": f"boss-{language}"})
    directory.put(rep)
    brief = story.brief(other, directory)
    gone = Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=NOW_MS, unopened=brief)
    state = OutboxState(rep_id=rep.rep_id, released=(gone,))
    (mail,) = escalate(state, rep, directory, PLAYBOOK, NOW_MS + 7 * DAY_MS).mails
    return mail.briefs[0]
