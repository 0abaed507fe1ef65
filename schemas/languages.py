"""Which texts suit a reader's language: zh-TW is read in traditional characters, zh-SG in simplified ones."""

from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError, get_global


@lru_cache(maxsize=1000)
def fallbacks(tag: str) -> tuple[str, ...]:
    """Return the language tags that a reader of `tag` understands, the nearest first, as `zh-TW, zh-Hant, zh`.

    The script follows from the region where the tag does not say it (CLDR's likely subtags).
    """
    locale = locale_of(tag)
    if locale is None:
        return (tag, tag.split("-", maxsplit=1)[0].lower())
    language = locale.language
    return tuple(dict.fromkeys((tag, f"{language}-{_script(locale)}", language)))


@lru_cache(maxsize=1000)
def locale_of(tag: str) -> Locale | None:
    """Return what CLDR knows of a language tag, or of its language alone; None if it knows neither."""
    for choice in (tag, tag.split("-", maxsplit=1)[0]):
        try:
            return Locale.parse(choice, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return None


def _script(locale: Locale) -> str:
    if locale.script:
        return str(locale.script)
    likely = get_global("likely_subtags")
    whole = f"{locale.language}_{locale.territory}" if locale.territory else locale.language
    return str(likely.get(whole) or likely.get(locale.language) or "__").split("_")[1]
