"""What they made of marketing's mails: which campaign, which link, and what followed on the site.

Only what a person did is told. An open alone is told where it was surely a person's; a click that nobody was seen
behind is told as such where the target has no snippet, and left out as a machine's everywhere else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from schemas.brief import ReadSummary
from schemas.emails import ClickedLink, MailInterest, Verdict
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped
from sinks.delivery.speaker import MAX_NAME, Speaker, reads_evidence

MAX_MAILS = 3
MAX_LINKS = 2
MAX_FOLLOWED = 2
RECENT_MS = 14 * 86_400_000


def email_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield the mails that somebody opened or clicked of late: first those that brought what this brief tells."""
    email = speaker.brief.interest.email
    since_ms = speaker.brief.trigger.met_ms - RECENT_MS
    mails = [mail for mail in (email.mails if email else ()) if mail.last_ms >= since_ms and _is_told(mail)]
    told = {read.page_view_id for read in speaker.brief.reads}
    brought = sorted(mails, key=lambda mail: not any(told & {*click.page_view_ids} for click in _clicks(mail)))
    for mail in brought[:MAX_MAILS]:
        yield _mail_line(mail, speaker)


def _clicks(mail: MailInterest) -> tuple[ClickedLink, ...]:
    return tuple(click for click in mail.clicks if click.counted)


def _is_told(mail: MailInterest) -> bool:
    return mail.opened is Verdict.human or bool(_clicks(mail))


def _mail_line(mail: MailInterest, speaker: Speaker) -> Line:
    phrases, campaign, who = speaker.phrases, speaker.phrases.quoted(mail.campaign_id), speaker.name(mail.contact_id)
    evidence = (f"summary:email.{mail.contact_id}/{mail.campaign_id}", f"contact:{mail.contact_id}")
    text = phrases.say("email.mail", who=who, campaign=campaign)
    if mail.opened is Verdict.human and mail.opened_ms is not None:
        text = phrases.say("email.opened", mail=text, when=speaker.moment(mail.opened_ms))
    clicks = _clicks(mail)
    details = tuple(_click_line(click, evidence, speaker) for click in clicks[:MAX_LINKS])
    if (more := len(clicks) - MAX_LINKS) > 0:
        details += (Line(phrases.say("email.more", n=more), evidence),)
    return Line(text, evidence, lead=who if text.startswith(who) else "", detail=details)


def _click_line(click: ClickedLink, mail: tuple[str, ...], speaker: Speaker) -> Line:
    phrases, content = speaker.phrases, speaker.content(click.url)
    link = phrases.quoted(clipped(content.title if content else click.link or click.url, MAX_NAME))
    sure = "email.clicked" if click.verdict is Verdict.human else "email.clicked_perhaps"
    line = Line(
        phrases.say(sure, link=link, when=speaker.moment(click.at_ms)),
        (*mail, *([f"content:{content.url}"] if content else [])),
    )
    followed = [read for read in speaker.brief.reads if read.page_view_id in click.page_view_ids]
    if followed:
        pages = phrases.listed(tuple(_pages(followed, speaker)))
        text = phrases.say("email.followed", clicked=line.text, pages=pages)
        return replace(line, text=text, evidence=(*line.evidence, *reads_evidence(tuple(followed))))
    if click.page_view_ids:
        text = phrases.say("email.followed_before", clicked=line.text, n=len(click.page_view_ids))
        return replace(line, text=text)
    return line


def _pages(reads: Sequence[ReadSummary], speaker: Speaker) -> Iterator[str]:
    spent: dict[str, int] = {}
    for read in reads:
        title = speaker.quoted(read.title)
        spent[title] = spent.get(title, 0) + read.active_s
    for title, active_s in list(spent.items())[:MAX_FOLLOWED]:
        yield speaker.phrases.say("read.known", title=title, time=speaker.phrases.duration(active_s))
