"""Deliveries and a directory as the tests of delivery use them."""

# ruff: noqa: RUF001 - Chinese has its own punctuation
from typing import Any

from schemas.brief import Advice, Brief, Objection, ReadSummary, Trigger, TriggerKind
from schemas.delivery import ChannelKind, Delivery
from schemas.directory import Account, BuyingRole, Channel, Contact, Content, Directory, Function, Rep
from schemas.interest import Interest, Reason, Temperature
from schemas.settings import Settings

MET_MS = 1_795_356_300_000  # 2026-11-22 14:05 UTC
SECRET = "a-secret-of-the-tests"

ADVICE = {
    "en": Advice(
        topics=("Pricing", "Security"),
        stress=("One price per site, with no charge per robot", "Rollout in six weeks with our own engineers"),
        ask=("Which lines should be automated first?", "Who signs off on a yearly plan?"),
        objections=(Objection(says="Too expensive", answer="Customers earn it back in nine months on average."),),
        concerns=("Total cost over three years", "Exit terms"),
        references=("Globex Logistics", "Initech Foods"),
        expert="Maria Lopez, pricing desk",
        next_step="Offer a 30-minute pricing workshop this week",
    ),
    "de": Advice(
        topics=("Pricing", "Security"),
        stress=("Ein Preis je Standort, kein Aufpreis je Roboter", "Einführung in sechs Wochen"),
        ask=("Welche Linien sollen zuerst automatisiert werden?", "Wer gibt einen Jahresvertrag frei?"),
        objections=(Objection(says="Zu teuer", answer="Im Schnitt nach neun Monaten verdient."),),
        concerns=("Gesamtkosten über drei Jahre", "Kündigungsfristen"),
        references=("Globex Logistik", "Initech Lebensmittel"),
        expert="Maria Lopez, Preisgestaltung",
        next_step="Diese Woche einen 30-minütigen Preis-Workshop anbieten",
    ),
    "zh": Advice(
        topics=("Pricing", "Security"),
        stress=("按站点定价，不按机器人数量收费", "六周内完成部署"),
        ask=("哪些产线需要优先自动化？", "年度合同由谁审批？"),
        objections=(Objection(says="太贵了", answer="客户平均九个月即可收回成本。"),),
        concerns=("三年总成本", "退出条款"),
        references=("环球物流", "英泰食品"),
        expert="玛丽亚·洛佩兹，定价专家",
        next_step="本周提议一次 30 分钟的价格研讨",
    ),
}


def a_read(number: int = 1, **changes: Any) -> ReadSummary:
    facts: dict[str, Any] = {
        "page_view_id": f"pv-{number}",
        "contact_id": "dana",
        "title": "Pricing",
        "url": "https://www.example.com/pricing",
        "started_ms": MET_MS - 200_000,
        "active_s": 130,
        "depth_pct": 92,
        "section": "Annual plans",
        "section_s": 80,
        "clicked": ("Compare plans",),
    }
    return ReadSummary(**(facts | changes))


def an_interest(account_id: str = "acme", temperature: Temperature = Temperature.hot) -> Interest:
    return Interest(
        account_id=account_id,
        as_of_ms=MET_MS,
        temperature=temperature,
        score=42,
        reasons=(
            Reason(kind="high_intent", points=15, detail="Pricing", page_view_ids=("pv-1",)),
            Reason(kind="reading", points=12.4, page_view_ids=("pv-1", "pv-2")),
            Reason(kind="several_readers", points=10, detail="2"),
            Reason(kind="returned", points=5, detail="dana"),
        ),
        topics=(),
        contents=(),
        readers=(),
        active_ms_last_7_days=610_000,
        active_ms_prior_7_days=95_000,
    )


def a_brief(number: int = 1, **changes: Any) -> Brief:
    language = changes.get("language", "en")
    reads = (
        a_read(1),
        a_read(2, title="Security and compliance", url="https://www.example.com/security", active_s=75, depth_pct=60,
               section="Data residency", section_s=40, clicked=(), before_known=True),
        a_read(3, contact_id="li", title="API reference", url="https://docs.example.com/api", active_s=45,
               depth_pct=38, section="", section_s=0, clicked=()),
    )  # fmt: skip
    facts: dict[str, Any] = {
        "brief_id": f"brief-{number}",
        "account_id": "acme",
        "rep_id": "rep-1",
        "language": language,
        "decided_ms": MET_MS + 20,
        "trigger": Trigger(kind=TriggerKind.session_end, met_ms=MET_MS, page_view_id="pv-1", url=reads[0].url),
        "reads": reads,
        "more_reads": 2,
        "told": {"pv-1": 130_000},
        "topics": ("pricing", "security"),
        "advice": ADVICE.get(language.partition("-")[0], ADVICE["en"]),
        "interest": an_interest(changes.get("account_id", "acme")),
    }
    return Brief(**(facts | changes))


def a_delivery(number: int = 1, channel: ChannelKind = ChannelKind.email, **changes: Any) -> Delivery:
    facts: dict[str, Any] = {
        "delivery_id": f"delivery-{number}",
        "rep_id": "rep-1",
        "channel": channel,
        "briefs": (a_brief(number),),
        "released_ms": MET_MS + 40,
    }
    return Delivery(**(facts | changes))


def a_directory() -> Directory:
    directory = Directory()
    channels = (
        Channel(kind=ChannelKind.email, target="jo@example.com"),
        Channel(kind=ChannelKind.chat, target="team", also=True),
    )
    for entity in (
        Account(account_id="acme", name="Acme Robotics", rep_id="rep-1"),
        Account(account_id="globex", name="Globex", rep_id="rep-1"),
        Contact(contact_id="dana", account_id="acme", name="Dana Weiss", title="VP Operations",
                function=Function.department_head, role=BuyingRole.decider),
        Contact(contact_id="li", account_id="acme", name="Li Wei", title="Controls engineer",
                function=Function.technician),
        Rep(rep_id="rep-1", name="Jo Müller", time_zone="Europe/Berlin", channels=channels),
        Rep(rep_id="mail-only", name="Kim", channels=channels[:1]),
        Content(url="https://www.example.com/pricing", title="Pricing", reading_time_s=150),
    ):  # fmt: skip
        directory.put(entity)
    return directory


def settings_with(**changes: Any) -> Settings:
    facts: dict[str, Any] = {"secret": SECRET, "delivery_attempts": 3, "delivery_backoff_s": 0.01}
    return Settings(**(facts | changes))
