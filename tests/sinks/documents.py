"""Messages as the chat channels take them."""

from sinks.delivery.document import BriefDocument, Button, ButtonKind, Line, MessageDocument, Section, SectionKind

HOSTILE = "<@U1> <!channel> @all @138 [win](https://evil.example) **b** _i_ `c` &lt;@all&gt; http://evil.example </at>"
BUTTONS = tuple(
    Button(kind, str(kind).replace("_", " "), f"https://read.example/f/{kind}/" + "t" * 200) for kind in ButtonKind
)


def a_document(
    *,
    texts: tuple[str, ...] = ("Pricing to the end, twice",),
    briefs: int = 1,
    lines: int = 3,
    headline: str = "Acme is hot",
) -> MessageDocument:
    """Return a message of so many briefs, each with three sections of so many lines; ranks are 1, 2 and 5."""
    return MessageDocument(
        delivery_id="delivery-1",
        language="zh-Hant",
        headline=headline,
        briefs=tuple(_brief(number, briefs, texts, lines, headline) for number in range(briefs)),
        more="{n} more lines on the account's page",
    )


def _brief(number: int, briefs: int, texts: tuple[str, ...], lines: int, headline: str) -> BriefDocument:
    sections = (
        Section(SectionKind.why_now, "Why now", 1, (Line(f"rank1 {texts[0]}"),)),
        Section(
            SectionKind.what, "What", 2,
            tuple(
                Line(
                    f"rank2 {at} {texts[at % len(texts)]}",
                    link_text=texts[at % len(texts)],
                    url="https://www.example.com/pricing",
                    detail=(Line(f"detail {at} {texts[at % len(texts)]}"),),
                )
                for at in range(lines)
            ),
        ),
        Section(SectionKind.why, "Why", 5, tuple(Line(f"rank5 {at} {texts[at % len(texts)]}") for at in range(lines))),
    )  # fmt: skip
    own = Line(headline if briefs == 1 else f"{headline} {number}")
    return BriefDocument(f"brief-{number}", f"account-{number}", own, sections, BUTTONS)
