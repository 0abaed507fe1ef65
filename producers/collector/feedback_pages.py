"""The pages a rep sees who answers a brief: one question, one button, in the rep's language. Pure."""

# ruff: noqa: RUF001 - Chinese has its own punctuation
import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from jinja2 import Environment, StrictUndefined

from schemas.feedback import FeedbackKind

MAX_OBJECTION = 1_000

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}"
    "h1{font-size:1.3rem}textarea{width:100%;box-sizing:border-box;min-height:8rem;font:inherit;padding:.5rem}"
    "button{font:inherit;font-weight:600;padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:#1d4ed8;"
    "color:#fff;margin-top:1rem;cursor:pointer}label{display:block;margin-bottom:.4rem}.fault{color:#b00020}"
    "@media(prefers-color-scheme:dark){body{background:#16181d;color:#eee}.fault{color:#ff8a80}"
    "textarea{background:#22252c;color:#eee;border:1px solid #555}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
}
_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
    """<!doctype html><html lang="{{ language }}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">
<title>{{ title }}</title><style>{{ style|safe }}</style><h1>{{ title }}</h1>
{% if fault %}<p class="fault" role="alert">{{ fault }}</p>
{% endif %}{% if button %}<form method="post">
{% if asks %}<label for="text">{{ asks }}</label>
<textarea id="text" name="text" maxlength="{{ longest }}" required>{{ text }}</textarea>
{% endif %}<input type="hidden" name="form" value="{{ form }}">
{% if again %}<input type="hidden" name="again" value="1">
{% endif %}<button>{{ button }}</button></form>
{% endif %}</html>
"""
)


class Note(StrEnum):
    """What a page says that asks nothing."""

    thanks = "thanks"
    invalid = "invalid"
    expired = "expired"
    stale = "stale"
    empty = "empty"
    later = "later"
    ended = "ended"
    begun = "begun"
    again = "again"
    asks = "asks"


@dataclass(frozen=True)
class Words:
    """One language's words: the question and the button of each answer, and notes."""

    questions: dict[FeedbackKind, tuple[str, str]]
    notes: dict[Note, str]


def _words(questions: tuple[tuple[str, str], ...], notes: tuple[str, ...]) -> Words:
    kinds = (
        FeedbackKind.useful, FeedbackKind.not_useful, FeedbackKind.objection, FeedbackKind.snooze,
        FeedbackKind.call_made, FeedbackKind.unsubscribe,
    )  # fmt: skip
    return Words(dict(zip(kinds, questions, strict=True)), dict(zip(Note, notes, strict=True)))


WORDS = {
    "en": _words(
        (
            ("Was this brief useful?", "Yes, it was useful"),
            ("Was this brief of no use?", "It was not useful"),
            ("Which objection did you hear?", "Send the objection"),
            ("Hear less of this account for a while?", "Snooze this account"),
            ("Have you called this account?", "Yes, I called"),
            ("Get no more digests by mail?", "End digests by mail"),
        ),
        (
            "Thank you, noted.", "This link is not valid. Please open it again from the message.",
            "This link's time is over.", "This page was open too long. Please press again.",
            "Please write what you heard.", "This could not be noted just now. Please try again in a moment.",
            "Digests by mail have ended.", "You get digests by mail again.", "Get digests by mail again",
            "In the customer's words, or yours:",
        ),
    ),
    "de": _words(
        (
            ("War diese Nachricht nützlich?", "Ja, sie war nützlich"),
            ("War diese Nachricht nicht nützlich?", "Sie war nicht nützlich"),
            ("Welchen Einwand haben Sie gehört?", "Einwand senden"),
            ("Eine Weile weniger von diesem Konto hören?", "Konto pausieren"),
            ("Haben Sie dieses Konto angerufen?", "Ja, angerufen"),
            ("Keine Übersichten mehr per E-Mail?", "Übersichten per E-Mail beenden"),
        ),
        (
            "Danke, notiert.", "Dieser Link ist ungültig. Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
            "Die Zeit dieses Links ist abgelaufen.", "Diese Seite war zu lange offen. Bitte noch einmal drücken.",
            "Bitte schreiben Sie, was Sie gehört haben.",
            "Das konnte gerade nicht notiert werden. Bitte gleich noch einmal versuchen.",
            "Übersichten per E-Mail sind beendet.", "Sie erhalten wieder Übersichten per E-Mail.",
            "Wieder Übersichten per E-Mail erhalten", "In den Worten des Kunden oder Ihren eigenen:",
        ),
    ),
    "zh-Hans": _words(
        (
            ("这条简报有用吗？", "有用"),
            ("这条简报没有用吗？", "没用"),
            ("您听到了什么异议？", "提交异议"),
            ("一段时间内少收到该客户的消息？", "暂缓该客户"),
            ("您已致电该客户吗？", "已致电"),
            ("不再通过邮件接收汇总？", "停止邮件汇总"),
        ),
        (
            "谢谢，已记录。", "链接无效，请从消息中重新打开。", "链接已过期。", "页面打开过久，请再按一次。",
            "请写下您听到的内容。", "暂时无法记录，请稍后再试。", "已停止邮件汇总。", "已恢复邮件汇总。",
            "恢复邮件汇总",
            "用客户的话或您自己的话：",
        ),
    ),
    "zh-Hant": _words(
        (
            ("這則快報有用嗎？", "有用"),
            ("這則快報沒有用嗎？", "沒用"),
            ("您聽到了什麼異議？", "送出異議"),
            ("一段時間內少收到此客戶的消息？", "暫緩此客戶"),
            ("您已致電此客戶嗎？", "已致電"),
            ("不再透過郵件接收彙整？", "停止郵件彙整"),
        ),
        (
            "謝謝，已記錄。", "連結無效，請從訊息中重新開啟。", "連結已過期。", "頁面開啟過久，請再按一次。",
            "請寫下您聽到的內容。", "暫時無法記錄，請稍後再試。", "已停止郵件彙整。", "已恢復郵件彙整。",
            "恢復郵件彙整",
            "用客戶的話或您自己的話：",
        ),
    ),
}  # fmt: skip


def question(language: str, kind: FeedbackKind, form: str, fault: Note | None = None, text: str = "") -> str:
    """Return the page that asks; `form` is what its button sends back, `text` what was written before."""
    words = _of(language)
    title, button = words.questions[kind]
    asks = words.notes[Note.asks] if kind is FeedbackKind.objection else ""
    return _filled(language, title, fault=fault, button=button, form=form, asks=asks, text=text)


def note(language: str, said: Note, again: str = "") -> str:
    """Return a page that says one thing; with `again`, a form's token, it offers digests by mail again."""
    words = _of(language)
    button = words.notes[Note.again] if again else ""
    return _filled(language, words.notes[said], button=button, form=again, again=bool(again))


def _filled(
    language: str,
    title: str,
    *,
    fault: Note | None = None,
    button: str = "",
    form: str = "",
    asks: str = "",
    text: str = "",
    again: bool = False,
) -> str:
    said = _of(language).notes[fault] if fault else ""
    return _PAGE.render(
        language=language, title=title, style=_STYLE, fault=said, button=button, form=form, asks=asks, text=text,
        again=again, longest=MAX_OBJECTION,
    )  # fmt: skip


def _of(language: str) -> Words:
    return WORDS.get(language, WORDS["en"])
