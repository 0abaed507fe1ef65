"""Phone numbers as people write them, turned into one that can be dialled from anywhere. Pure."""

import re

import phonenumbers

_WORDS = re.compile(r"[^\W\d_]+")
_NO_VANITY = frozenset({"x", "ext", "extension", "tel"})
_MAX_LENGTH = 40


def dialled(text: str, region: str | None = None) -> str:
    """Return a number in international form, `+49305550134` or `+49305550134;ext=12`.

    `region` says of which country a number is that is written without `+`, as `DE`.

    Raises:
        ValueError: it is no number that anybody can have, or needs a region; the message says what to do.
    """
    given = text.strip()
    example = "such as +49 30 5550 134 or +1 415 555 0199 ext. 12"
    words = {word.casefold() for word in _WORDS.findall(given)}
    if len(given) > _MAX_LENGTH or words - _NO_VANITY:
        raise ValueError(f"{given[:_MAX_LENGTH]!r} is no phone number {example}")
    try:
        number = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException as error:
        if region is None and error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise ValueError(
                f"{given!r} does not say of which country it is: write it {example}, or say it with --phone-region"
            ) from error
        raise ValueError(f"{given!r} is no phone number {example}") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"{given!r} is a number that nobody can have: write it {example}")
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def known_region(text: str) -> str:
    """Return a region's two letters in capitals.

    Raises:
        ValueError: no country has them.
    """
    region = text.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no country's two letters, such as DE or US")
    return region
