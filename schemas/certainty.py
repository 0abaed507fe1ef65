"""How sure each way to be known makes us: the one place that says so."""

from schemas.events import IdentifyMethod

CERTAIN = 100
"""What is not doubted, in percent."""

CONFIDENCE: dict[IdentifyMethod, int] = {
    IdentifyMethod.site_token: 95,  # logged in, on the word of the site's own server
    IdentifyMethod.email_link: 90,  # links are forwarded now and then
    IdentifyMethod.segment: 85,
    IdentifyMethod.snowplow: 85,
    IdentifyMethod.form: 65,  # anybody may type anybody's address
    IdentifyMethod.domain: 50,  # the company is told, the person is not
    IdentifyMethod.forwarded: 40,
    IdentifyMethod.network: 25,  # guests and neighbours have the same address
}
"""Percent by which a reader is who the method says."""

SAID_PLAINLY_FROM = 80
"""A brief names a reader without "probably" from here on."""
