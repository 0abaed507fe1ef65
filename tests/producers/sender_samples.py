"""Payloads in the shapes that the senders document, signed by keys made for the tests."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
DANA = "Dana@acme.example"
PAGE = "https://www.example.com/pricing"
MAILGUN_KEY = "key-of-mailgun"
POSTMARK_LOGIN = "postmark:a-long-password"
SENDER_SECRET = "a-secret-of-any-sender"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"
CERTIFICATE_URL = (
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)

SENDGRID_PRIVATE = ec.derive_private_key(0x5EED, ec.SECP256R1())
SENDGRID_KEY = base64.b64encode(
    SENDGRID_PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


def sendgrid_event(kind: str, number: int = 1, *, now_s: int, **said: Any) -> dict[str, Any]:
    return {
        "email": DANA,
        "timestamp": now_s,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": kind,
        "category": ["spring"],
        "sg_event_id": f"ZGVsaXZlcmVk-{kind}-{number}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **said,
    }


def sendgrid_body(*events: Any) -> bytes:
    return json.dumps(events).encode() + b"\r\n"


def sendgrid_headers(body: bytes, now_s: int) -> dict[str, str]:
    signature = SENDGRID_PRIVATE.sign(str(now_s).encode() + body, ec.ECDSA(SHA256()))
    return {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": str(now_s),
    }


def mailgun_body(kind: str, token: str, *, now_s: int, key: str = MAILGUN_KEY, **said: Any) -> bytes:
    signature = hmac.new(key.encode(), f"{now_s}{token}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": kind,
        "id": "ncV2XwymRUKbPek_MIM-Gw",
        "timestamp": now_s + 0.25,
        "recipient": DANA,
        "tags": ["spring"],
        "user-variables": {},
        "ip": "203.0.113.7",
        "client-info": {
            "client-os": "Windows",
            "device-type": "desktop",
            "client-type": "browser",
            "user-agent": CHROME,
        },
        "message": {"headers": {"message-id": "20260504.1@mg.example.com"}},
        **said,
    }
    return json.dumps(
        {"signature": {"timestamp": str(now_s), "token": token, "signature": signature}, "event-data": event}
    ).encode()


def postmark_body(kind: str, **said: Any) -> bytes:
    event = {
        "RecordType": kind,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Tag": "spring",
        "Metadata": {},
        "MessageStream": "broadcast",
        "Recipient": DANA,
        "ReceivedAt": "2026-05-04T10:00:00.1234567Z",
        **said,
    }
    return json.dumps(event).encode()


def basic(login: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(login.encode()).decode()}


@cache
def amazon() -> tuple[rsa.RSAPrivateKey, bytes]:
    """Make SNS's key, and the file that holds its certificate and the issuer's."""
    return certificates("sns.amazonaws.com")


@cache
def certificates(name: str, days: int = 30, *, chained: bool = True) -> tuple[rsa.RSAPrivateKey, bytes]:
    issuer_key = rsa.generate_private_key(65537, 2048)
    key = rsa.generate_private_key(65537, 2048)
    issuer = _certificate("Test issuer", "Test issuer", issuer_key, issuer_key, days)
    signer = issuer_key if chained else key
    leaf = _certificate(name, "Test issuer", key, signer, days)
    return key, leaf.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM)


def _certificate(
    name: str, issuer: str, key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, days: int
) -> x509.Certificate:
    begin = datetime.now(UTC) + timedelta(days=min(days, 0) - 1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=abs(days)))
        .sign(signer, SHA256())
    )


def sns_message(
    kind: str, message: Any, *, now_s: int, version: str = "2", key: rsa.RSAPrivateKey | None = None, **said: Any
) -> dict[str, Any]:
    outer: dict[str, Any] = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **said,
    }
    if kind != "Notification":
        outer.setdefault("Token", "2336412f37")
        outer.setdefault(
            "SubscribeURL",
            f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37",
        )
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{outer[name]}\n" for name in names if name in outer)
    signature = (key or amazon()[0]).sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())  # noqa: S303 - as SNS does
    return {**outer, "Signature": base64.b64encode(signature).decode()}


def ses_event(kind: str, part: str, **said: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "mail": {
            "timestamp": "2026-05-04T09:59:00.000Z",
            "messageId": "EXAMPLE7c191be45",
            "destination": [DANA],
            "tags": {"campaign_id": ["spring"], "ses:configuration-set": ["marketing"]},
        },
        part: {"timestamp": "2026-05-04T10:00:00.000Z", **said},
    }
