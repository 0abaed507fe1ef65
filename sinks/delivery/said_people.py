"""Who read, who of those that take part in buying has not, and how to reach them."""

from collections.abc import Iterator

import phonenumbers

from schemas.brief import ReadSummary
from schemas.certainty import CERTAIN
from schemas.directory import Contact
from sinks.delivery.document import Line
from sinks.delivery.outside_text import clipped
from sinks.delivery.said_reads import reader_key
from sinks.delivery.speaker import Speaker, reads_evidence

MAX_READERS = 4
MAX_NAMES = 3
MAX_REACHED = 4


def who_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield the readers, the keenest first, then unknown colleagues and who is missing."""
    readers = _readers(speaker)
    for reads in readers[:MAX_READERS]:
        yield _reader_line(reads, speaker)
    if len(readers) > MAX_READERS:
        left_out = tuple(read for reads in readers[MAX_READERS:] for read in reads)
        yield Line(speaker.phrases.say("who.more", n=len(readers) - MAX_READERS), reads_evidence(left_out))
    unknown = speaker.brief.interest.unknown_visitors
    # One who stands among the readers already needs no line of their own.
    if unknown > any(not read.contact_id for read in speaker.brief.reads):
        yield Line(speaker.phrases.say("unknown_visitors", n=unknown), ("summary:unknown_visitors",))
    yield from _missing(speaker)


def _readers(speaker: Speaker) -> list[tuple[ReadSummary, ...]]:
    reads: dict[tuple[str, ...], list[ReadSummary]] = {}
    for read in speaker.brief.reads:
        reads.setdefault(reader_key(read), []).append(read)
    return sorted(map(tuple, reads.values()), key=lambda theirs: -sum(read.active_s for read in theirs))


def _reader_line(reads: tuple[ReadSummary, ...], speaker: Speaker) -> Line:
    phrases = speaker.phrases
    surest = max(reads, key=lambda read: read.confidence)
    text = speaker.reader(surest)
    if position := speaker.position(surest.contact_id):
        text = phrases.say("who.reader", name=text, position=position)
    if surest.method and surest.contact_id and phrases.has(f"sure.{surest.method}"):
        how = phrases.say(f"sure.{surest.method}")
        text = phrases.say("who.sure", reader=text, percent=phrases.percent(surest.confidence), how=how)
    elif surest.contact_id and surest.confidence < CERTAIN:
        text = phrases.say("who.sure_plain", reader=text, percent=phrases.percent(surest.confidence))
    people = tuple(f"contact:{contact_id}" for contact_id in (surest.contact_id, surest.via) if contact_id)
    return Line(text, (*people, *reads_evidence(reads), speaker.account_evidence))


def _missing(speaker: Speaker) -> Iterator[Line]:
    """Yield who is known of the functions that nobody has read for, then the functions of which nobody is known.

    Where nobody's function is known, nothing is missing but the directory's.
    """
    committee, phrases = speaker.brief.interest.committee, speaker.phrases
    seats = {seat.function: seat for seat in committee.functions} if committee else {}
    if committee is None or not any(seat.contacts or seat.readers for seat in seats.values()):
        return
    known, nobody, evidence = [], [], ["summary:committee"]
    for function in committee.missing:
        contacts = [
            contact for each in seats[function].unread_contacts[:MAX_NAMES] if (contact := speaker.contact(each))
        ]
        word = phrases.say(f"function.{function}")
        if contacts:
            names = tuple(speaker.name(contact.contact_id) for contact in contacts)
            known.append(phrases.say("missing.known", function=word, names=phrases.listed(names)))
            evidence += [f"contact:{contact.contact_id}" for contact in contacts]
        else:
            nobody.append(word)
    if nobody:
        known.append(phrases.say("missing.nobody", functions=phrases.listed(tuple(nobody))))
    if known:
        label = phrases.say("missing")
        yield Line(phrases.labelled(label, " · ".join(known)), tuple(evidence), lead=label)


def reach_lines(speaker: Speaker) -> Iterator[Line]:
    """Yield how to reach the readers, and those of the committee who are missing."""
    brief = speaker.brief
    readers = [reads[0].contact_id for reads in _readers(speaker)]
    unread = brief.interest.committee.unread_contacts if brief.interest.committee else ()
    reached = [
        contact
        for contact_id in dict.fromkeys([*filter(None, readers), *unread])
        if (contact := speaker.contact(contact_id)) and (contact.email or contact.phone)
    ]
    for contact in reached[:MAX_REACHED]:
        name = speaker.name(contact.contact_id)
        phone = international(contact.phone or "")
        address, wish, evidence = _mail_to(contact, speaker)
        yield Line(
            speaker.phrases.labelled(name, " · ".join(filter(None, (address, phone, wish)))),
            (f"contact:{contact.contact_id}", *evidence),
            link_text=phone,
            tel=contact.phone or "",
            lead=name,
        )


def _mail_to(contact: Contact, speaker: Speaker) -> tuple[str, str, tuple[str, ...]]:
    """Return an address and whether mail to it came back, that they want none of marketing's, and the evidence."""
    address, email = clipped(contact.email or "", 254), speaker.brief.interest.email
    if email is None:
        return address, "", ()
    health, evidence = email.health, []
    if address and contact.contact_id in health.bounced:
        address = speaker.phrases.say("reach.came_back", address=address)
        evidence.append(f"summary:email.health.bounced/{contact.contact_id}")
    out = [name for name in ("complained", "unsubscribed") if contact.contact_id in getattr(health, name)]
    wish = speaker.phrases.say("reach.no_marketing") if out else ""
    return address, wish, (*evidence, *(f"summary:email.health.{name}/{contact.contact_id}" for name in out))


def international(phone: str) -> str:
    """Return a number as people write it, `+49 30 5550134`; empty if there is none."""
    if not phone:
        return ""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
