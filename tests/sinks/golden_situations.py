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
from schemas.directory import Lifecycle
from schemas.events import IdentifyMethod
from schemas.playbook import BringRules
from tests.sinks.golden_world import DAY_MS, NOW_MS, SITE, Story, read

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
