"""Amazon SNS: a message is signed with a key whose certificate stands at an address that the message itself names.

So the address is checked before anything is fetched: only Amazon's own host is asked. That it is Amazon that answers
is TLS's proof; the certificate must be SNS's, valid now, and each that the file holds issued by the next. As anybody
may have Amazon sign messages of a topic of their own, the topic is checked first of all.
"""

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID

from producers.senders.reports import iso_ms, within
from producers.senders.signing import check_age, unproven
from producers.translation import parse_json, text_at

Fetch = Callable[[str], bytes]
"""Returns what stands at an address of Amazon's, or raises UnavailableError."""

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
FAREWELL = "UnsubscribeConfirmation"

_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,80}\.pem")
_NAME = re.compile(r"sns(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_OPTIONAL = "Subject"
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    FAREWELL: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: dict[str, SHA1 | SHA256] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is what many topics still send
_MAX_CERTIFICATES = 16


class Certificates:
    """Certificates by their addresses; those few that there are, are fetched once."""

    def __init__(self, fetch: Fetch) -> None:
        """Take what fetches."""
        self._fetch = fetch
        self._known: OrderedDict[str, tuple[x509.Certificate, ...]] = OrderedDict()

    def at(self, url: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates at an address, the signer's first.

        Raises:
            RefusedError: 401, there is none.
            UnavailableError: Amazon does not answer.
        """
        if url not in self._known:
            try:
                self._known[url] = tuple(x509.load_pem_x509_certificates(self._fetch(url)))
            except ValueError as error:
                raise unproven("there is no certificate at its address") from error
            while len(self._known) > _MAX_CERTIFICATES:
                self._known.popitem(last=False)
        return self._known[url]


def verify(
    body: bytes,
    headers: Mapping[str, str],
    topics: tuple[str, ...],
    certificates: Certificates,
    now_ms: int,
    max_age_s: int,
) -> Mapping[str, Any]:
    """Return a message that is shown to be Amazon's, of a topic that is ours, and not too old.

    Raises:
        RefusedError: 400, it is no JSON object; 401, it is no such message.
        UnavailableError: Amazon does not answer.
    """
    said = within(parse_json(body), "")
    kind = text_at(said, "Type")
    if kind not in _SIGNED or text_at(said, "TopicArn") not in topics:
        raise unproven("it is no message of a topic of READBRIEF_SES_TOPICS")
    for header, field in (("x-amz-sns-message-type", "Type"), ("x-amz-sns-message-id", "MessageId")):
        if headers.get(header, said.get(field)) != said.get(field):
            raise unproven("the headers are another message's")
    url = text_at(said, "SigningCertURL")
    if not is_amazons(url) or not _CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
        raise unproven("its certificate is not at Amazon's")
    _check_signature(said, kind, _signer(certificates.at(url), now_ms))
    check_age(iso_ms(said.get("Timestamp"), "Timestamp") // 1000, now_ms, max_age_s)
    return said


def is_amazons(url: str) -> bool:
    """Say whether an address is one of SNS's own, by https, without a port or a login."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = not any(ord(each) <= ord(" ") or each == "\\" for each in url)
    return plain and parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


def confirmation_of(said: Mapping[str, Any]) -> str:
    """Return the address that confirms the subscription of a verified message.

    Raises:
        RefusedError: 401, it is not Amazon's, or of another topic.
    """
    url = text_at(said, "SubscribeURL")
    if not is_amazons(url):
        raise unproven("the address to confirm is not Amazon's")
    asked = parse_qs(urlsplit(url).query)
    if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [text_at(said, "TopicArn")]:
        raise unproven("the address to confirm does something else")
    return url


def _check_signature(said: Mapping[str, Any], kind: str, key: RSAPublicKey) -> None:
    names = [name for name in _SIGNED[kind] if name != _OPTIONAL or name in said]
    if not all(isinstance(said.get(name), str) for name in names):
        raise unproven()
    text = "".join(f"{name}\n{said[name]}\n" for name in names)
    used = _HASHES.get(text_at(said, "SignatureVersion"))
    if used is None:
        raise unproven()
    try:
        key.verify(base64.b64decode(text_at(said, "Signature"), validate=True), text.encode(), PKCS1v15(), used)
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise unproven() from error


def _signer(chain: tuple[x509.Certificate, ...], now_ms: int) -> RSAPublicKey:
    """Return the key of the first of some certificates, if they are valid, one the other's issuer, and it is SNS's."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if not chain or not all(each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain):
        raise unproven("its certificate is not valid now")
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise unproven("its certificate is not issued by the one behind it") from error
    names = [str(each.value) for each in chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    key = chain[0].public_key()
    if not any(_NAME.fullmatch(name) for name in names) or not isinstance(key, RSAPublicKey):
        raise unproven("its certificate is not SNS's")
    return key
