"""The situations of the golden briefs, by name; each is told in every language."""

from schemas.brief import (
    BringReason,
    Colleague,
    Correction,
    CorrectionKind,
    HandOver,
    HandOverReason,
    TriggerKind,
)
from schemas.directory import Function, Lifecycle
from schemas.emails import MailKind
from schemas.events import EmailAgent, IdentifyMethod
from schemas.playbook import BringRules
from tests.sinks.golden_world import DAY_MS, NOW_MS, SITE, Story, fact, mailing, read

DAY_S = DAY_MS // 1000
_PRICE = {"Price per machine": 95, "Volume steps": 70, "Payment": 15, "Trial": 1}
_LONG_AGO = read("old", "/how-it-works", "tom", 100, 60, ago_s=50 * DAY_S)
_PETRA_TWICE = (
    read("p1", "/pricing", "petra", 185, 100, sections=_PRICE, clicks=("Download the price list",), ago_s=3000,
         bands=(8_000, 30_000, 62_000, 51_000, 20_000, 8_000, 3_000, 2_000, 1_000, 0)),
    read("p2", "/pricing", "petra", 64, 97, sections={"Volume steps": 40, "Payment": 20}, ago_s=90,
         bands=(2_000, 5_000, 10_000, 22_000, 18_000, 4_000, 2_000, 1_000, 0, 0)),
)  # fmt: skip
_TOM = read("t1", "/cost", "tom", 140, 80, sections={"The sum on one page": 60, "Night shifts": 1}, ago_s=7000,
            bands=(20_000, 20_000, 40_000, 30_000, 15_000, 10_000, 4_000, 1_000, 0, 0))  # fmt: skip
_TINA = read("i1", "/security", "tina", 120, 70, sections={"Ports": 50, "Certificates": 30}, ago_s=5000)
_SILENT = Colleague(reason=BringReason.silent_rep, rep_id="boss")
_PATHS = ("/cost", "/how-it-works", "/retrofit", "/compare", "/security", "/pricing", "/contract")
_UP = TriggerKind.temperature_up
_CAME = read("a1", "/cost", "tom", 140, 80, ago_s=600, sections={"The sum on one page": 60})
_AUTUMN = mailing(
    "autumn-downtime", "tom",
    fact(MailKind.delivered, 9_000), fact(MailKind.opened, 800, agent=EmailAgent.browser),
    fact(MailKind.clicked, 745, "/cost", link="standstill", agent=EmailAgent.browser),
    fact(MailKind.landed, 741, visitor_id="visitor-tom"),
)  # fmt: skip
_TRIAL = mailing(
    "free-trial", "tina",
    fact(MailKind.delivered, 90_000),
    fact(MailKind.clicked, 80_000, "/shop/trial", link="Try it for 30 days", agent=EmailAgent.browser, snippet=False),
)  # fmt: skip
_SCANNED = mailing(
    "spring-audit", "tina",
    fact(MailKind.delivered, 9_000), fact(MailKind.opened, 8_999, agent=EmailAgent.gmail_proxy),
    fact(MailKind.clicked, 8_998, "/cost", head=True, data_center=True),
)  # fmt: skip
_OUT = mailing("old-news", "tom", fact(MailKind.delivered, 99_000), fact(MailKind.unsubscribed, 98_000))
_GONE = mailing("spring-audit", "petra", fact(MailKind.bounced, 9_000))
_SPAM = mailing("free-trial", "tina", fact(MailKind.delivered, 9_000), fact(MailKind.complained, 8_000))
_PEOPLE_OF_BIG = (
    read("e1", "/cost", "eva", 90, 75, ago_s=8000),
    read("b1", "/how-it-works", "ben", 150, 100, sections={"The pattern": 90}, ago_s=6000),
    read("c1", "/pricing", "carl", 200, 100, sections=_PRICE, ago_s=400),
    read("d1", "/first-thirty-days", "dora", 45, 40, ago_s=300),
)


def _corrected(kind: CorrectionKind, contact_id: str = "") -> dict[str, object]:
    told_ms = NOW_MS - 3_600_000
    correction = Correction(
        kind=kind, told_ms=told_ms, page_view_ids=("pv-p1",), urls=(SITE + "/pricing",), contact_id=contact_id
    )
    return {"corrects": "brief-0", "correction": correction}


def _handed(reason: HandOverReason, by: str = "") -> dict[str, object]:
    return {"hand_over": HandOver(from_rep_id=by, reason=reason)}


def _unknown(method: IdentifyMethod, **facts: object) -> Story:
    return Story((read("u1", "/pricing", "", 120, 90, method=method, sections=_PRICE, **facts),))


SITUATIONS: dict[str, tuple[Story, ...]] = {
    "turned hot, purchasing read the price twice": (Story((_TOM, *_PETRA_TWICE), _UP),),
    "one short read, still cold": (Story((read("s1", "/how-it-works", "tom", 12, 20),)),),
    "two readers, warm": (Story((_TOM, _TINA)),),
    "price page while it is being read": (
        Story((_TOM, _PETRA_TWICE[0]), TriggerKind.high_intent, trigger_read="pv-p1", told={"pv-t1": 140_000}),
    ),
    "contract page while it is being read": (
        Story((read("k1", "/contract", "petra", 75, 55),), TriggerKind.high_intent, trigger_read="pv-k1"),
    ),
    "a ripe lead from marketing": (
        Story((read("l1", "/pricing", "lena", 100, 88, sections=_PRICE),), TriggerKind.hand_over, "lead",
              occasion=_handed(HandOverReason.ripe)),
    ),
    "a won account from a colleague": (
        Story((_TOM, *_PETRA_TWICE), TriggerKind.hand_over, account={"lifecycle": Lifecycle.won},
              occasion=_handed(HandOverReason.lifecycle, "boss")),
    ),
    "a lost deal revived": (
        Story(_PETRA_TWICE, TriggerKind.hand_over, account={"lifecycle": Lifecycle.lost},
              occasion=_handed(HandOverReason.revived)),
    ),
    "another owner": (Story((_TOM,), TriggerKind.hand_over, occasion=_handed(HandOverReason.owner, "gone-rep")),),
    "back after silence": (
        Story((_LONG_AGO, _TOM), TriggerKind.returned_after_silence, told={"pv-old": 100_000}),
    ),
    "somebody by their network": (_unknown(IdentifyMethod.network),),
    "somebody by their email domain": (_unknown(IdentifyMethod.domain, confidence=50),),
    "a forwarded link": (_unknown(IdentifyMethod.forwarded, confidence=40, via="petra"),),
    "an unknown colleague beside a known one": (
        Story((_TOM, read("u2", "/security", "", 60, 50, method=IdentifyMethod.domain, confidence=50))),
    ),
    "probably them, by an address in a form": (
        Story((read("f1", "/retrofit", "tina", 130, 96, method=IdentifyMethod.form, confidence=65),)),
    ),
    "logged in": (Story((read("f2", "/compare", "tina", 130, 60, method=IdentifyMethod.site_token, confidence=95),)),),
    "the reader has left the directory": (Story((_TOM,), gone=("contact:tom",)),),
    "a page that the directory does not know": (
        Story((read("x1", "/jobs", "tom", 50, 100, title="Working at Nordhaven"),)),
    ),
    "no industry, no function": (Story((read("l2", "/compare", "lena", 90, 70),), account_id="lead"),),
    "large and hot: the manager": (Story(_PEOPLE_OF_BIG, _UP, "big"),),
    "hot and small: no manager": (
        Story(_PETRA_TWICE, _UP, playbook={"bring": BringRules(large_from_people=50)}),
    ),
    "a silent rep: the manager": (
        Story((_TOM,), bring=(_SILENT,)),
    ),
    "escalated: the manager of a silent rep": (Story((_TOM, *_PETRA_TWICE), _UP, silent_rep=True),),
    "escalated: large and hot": (Story(_PEOPLE_OF_BIG, _UP, "big", silent_rep=True),),
    "a form was sent": (
        Story((_TOM, read("v1", "/retrofit", "tina", 70, 90, ago_s=30)), TriggerKind.form_sent, trigger_read="pv-v1",
              trigger={"forms": ("visit-request",)}),
    ),
    "several functions within a week": (
        Story(_PEOPLE_OF_BIG, TriggerKind.several_functions, "big",
              trigger={"functions": (Function.executive, Function.purchaser, Function.technician)}),
    ),
    "a campaign click, confirmed on the site": (
        Story((_CAME,), TriggerKind.campaign_click, occasion={"campaigns": {"pv-a1": "autumn-downtime"}},
              trigger={"campaign_id": "autumn-downtime"}, mails=(_AUTUMN,)),
    ),
    "a customer reads renewal pages": (
        Story((read("r2", "/renew", "petra", 80, 100), read("r3", "/contract", "petra", 50, 40, ago_s=20)),
              TriggerKind.renewal_or_leaving, account={"lifecycle": Lifecycle.use}),
    ),
    "several mails beside the site": (
        Story((_CAME, _TINA), mails=(_AUTUMN, _TRIAL)),
    ),
    "a mail whose reading was told before": (
        Story((_CAME, _TINA), told={"pv-a1": 140_000}, mails=(_AUTUMN,)),
    ),
    "a mail that only machines opened": (Story((_TINA,), mails=(_SCANNED,)),),
    "a reader of mails who opted out": (Story((_CAME,), mails=(_AUTUMN, _OUT)),),
    "mail that came back or is not wanted": (Story((_CAME, *_PETRA_TWICE), mails=(_GONE, _SPAM)),),
    "a customer reads about renewal": (
        Story((read("r1", "/renew", "petra", 80, 100),), account={"lifecycle": Lifecycle.use}),
    ),
    "a customer starts": (
        Story((read("o1", "/first-thirty-days", "tom", 190, 100, sections={"Day nineteen": 80}),),
              account={"lifecycle": Lifecycle.delivery}),
    ),
    "a campaign brought them": (
        Story((_TOM, _TINA), occasion={"campaigns": {"pv-t1": "autumn-downtime"}}),
    ),
    "more of a read that was told": (Story(_PETRA_TWICE, told={"pv-p1": 60_000, "pv-p2": 64_000}),),
    "known before and new": (
        Story((_LONG_AGO, _TINA, _TOM), told={"pv-old": 100_000, "pv-i1": 120_000}),
    ),
    "the same content again": (Story(_PETRA_TWICE, told={"pv-p1": 185_000}),),
    "read before they were known": (Story((read("q1", "/compare", "tina", 160, 85, known=False),)),),
    "many contents": (
        Story(tuple(
            read(f"m{at}", path, "tom", 30 + 10 * at, 60 + at, ago_s=600 - 20 * at)
            for at, path in enumerate(_PATHS)
        )),
    ),
    "hardly anything but clicks": (
        Story((read("z1", "/retrofit", "tom", 25, 15, clicks=("Watch the film", "Ask for a visit")),)),
    ),
    "correction: a machine's click": (Story(_PETRA_TWICE, changes=_corrected(CorrectionKind.machine_click)),),
    "correction: the reader is known now": (
        Story(_PETRA_TWICE, changes=_corrected(CorrectionKind.known_now, "petra")),
    ),
    "correction: taken back": (Story((_TOM,), changes=_corrected(CorrectionKind.withdrawn)),),
    "a digest of three accounts": (
        Story((_TOM, *_PETRA_TWICE), _UP),
        Story(_PEOPLE_OF_BIG[:2], account_id="big"),
        Story((read("l2", "/compare", "lena", 20, 70),), account_id="lead"),
    ),
    "a digest of one account": (Story((_TOM,)), Story((_TINA,), _UP)),
    "hostile words": (
        Story((read("h1", "/evil", "tom", 40, 50, title="</td><script>alert(1)</script>\r\nBcc: all",
                    sections={"{reader} %s": 20}, clicks=("[x](javascript:1)",)),)),
    ),
}  # fmt: skip
