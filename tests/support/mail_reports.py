"""Reports of mails that came back, in the shapes that mail servers write them; addresses and hosts are nobody's."""

from collections.abc import Mapping
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO

_POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.vendor.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: briefs@vendor.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ12345.1795356300/mx.vendor.example"
Content-Transfer-Encoding: 8bit
Message-Id: <20261122140500.4XyZ99999@mx.vendor.example>

This is a MIME-encapsulated message.

--4XyZ12345.1795356300/mx.vendor.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mx.vendor.example.

<jo@example.com>: host mail.example.com[192.0.2.10] said: 550 5.1.1 <jo@example.com>
    Recipient address rejected: User unknown (in reply to RCPT TO command)

--4XyZ12345.1795356300/mx.vendor.example
Content-Description: Delivery report
Content-Type: message/delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; mx.vendor.example
X-Postfix-Queue-ID: 4XyZ12345
X-Postfix-Sender: rfc822; briefs@vendor.example
Arrival-Date: Sun, 22 Nov 2026 14:05:00 +0000 (UTC)

Final-Recipient: rfc822; jo@example.com
Original-Recipient: rfc822;jo@example.com
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <jo@example.com> Recipient address rejected:
    User unknown

--4XyZ12345.1795356300/mx.vendor.example
Content-Description: Undelivered Message{headers_only}
Content-Type: {returned_type}
Content-Transfer-Encoding: 8bit

Return-Path: <briefs@vendor.example>
{returned}
--4XyZ12345.1795356300/mx.vendor.example--
"""

_EXIM = """\
X-Failed-Recipients: jo@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.vendor.example>
To: briefs@vendor.example
References: <delivery-1@vendor.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=1795356300-eximdsn-1234567890
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1795356300-eximdsn-1234567890
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  jo@example.com
    host mail.example.com [192.5.1.12]
    SMTP error from remote mail server after RCPT TO:<jo@example.com>:
    550 5.2.1 The email account that you tried to reach is disabled

--1795356300-eximdsn-1234567890
Content-type: message/delivery-status

Reporting-MTA: dns; mx.vendor.example

Action: failed
Final-Recipient: rfc822;jo@example.com
Status: 5.0.0
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 host 192.5.1.12 says 5.2.1 The email account that you tried to reach is disabled

--1795356300-eximdsn-1234567890
Content-type: message/rfc822

Return-path: <briefs@vendor.example>
{returned}
--1795356300-eximdsn-1234567890--
"""

_MICROSOFT_365 = """\
From: <postmaster@example.onmicrosoft.com>
To: <briefs@vendor.example>
Date: Sun, 22 Nov 2026 14:05:11 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9B095B5ADSN=_01DC5B8E2F3C4D5E0000A1B2AM0PR01MB1234.eurp"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-GB
Message-ID: <f1e2d3c4-0000-1111-2222-abcdefabcdef@AM0PR01MB1234.eurprd01.prod.outlook.com>
Subject: Undeliverable: Acme Robotics turned hot
Auto-Submitted: auto-replied
MIME-Version: 1.0

--9B095B5ADSN=_01DC5B8E2F3C4D5E0000A1B2AM0PR01MB1234.eurp
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="c0ffee00-aaaa-bbbb-cccc-000000000001"

--c0ffee00-aaaa-bbbb-cccc-000000000001
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

WW91ciBtZXNzYWdlIHRvIGpvQGV4YW1wbGUuY29tIGNvdWxkbid0IGJlIGRlbGl2ZXJlZC4=

--c0ffee00-aaaa-bbbb-cccc-000000000001
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

PHA+WW91ciBtZXNzYWdlIGNvdWxkbid0IGJlIGRlbGl2ZXJlZC48L3A+

--c0ffee00-aaaa-bbbb-cccc-000000000001--

--9B095B5ADSN=_01DC5B8E2F3C4D5E0000A1B2AM0PR01MB1234.eurp
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.outlook.com
Received-From-MTA: dns;mx.vendor.example
Arrival-Date: Sun, 22 Nov 2026 14:05:10 +0000

Final-Recipient: rfc822;jo@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Jo

--9B095B5ADSN=_01DC5B8E2F3C4D5E0000A1B2AM0PR01MB1234.eurp
Content-Type: message/rfc822

Received: from mx.vendor.example (192.0.2.7) by AM0PR01MB1234.eurprd01.prod.outlook.com
 (10.0.0.1) with Microsoft SMTP Server id 15.20.1.1 via Frontend Transport; Sun, 22 Nov 2026 14:05:10 +0000
{returned}
--9B095B5ADSN=_01DC5B8E2F3C4D5E0000A1B2AM0PR01MB1234.eurp--
"""

_EXCHANGE = """\
From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>
To: <briefs@vendor.example>
Subject: Undeliverable: Acme Robotics turned hot
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b_ndr"

--b_ndr
Content-Type: text/plain; charset="us-ascii"

Delivery has failed to these recipients or groups: Jo

--b_ndr
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.example.com

Final-recipient: RFC822;
 jo@example.com
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp;554 5.2.2 mailbox full;
 STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded

--b_ndr
Content-Type: text/rfc822-headers

{returned_headers}
--b_ndr--
"""

_GMAIL = """\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: briefs@vendor.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <delivery-1@vendor.example>
In-Reply-To: <delivery-1@vendor.example>
X-Failed-Recipients: jo@example.com
MIME-Version: 1.0
Content-Type: multipart/report; boundary="00000000000032ff9a063a99824d"; report-type=delivery-status

--00000000000032ff9a063a99824d
Content-Type: multipart/related; boundary="00000000000033222b063a998286"

--00000000000033222b063a998286
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--00000000000033222b063a998286
Content-Type: image/png; name="icon.png"
Content-Disposition: attachment; filename="icon.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--00000000000033222b063a998286--
--00000000000032ff9a063a99824d
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; briefs@vendor.example
Arrival-Date: Sun, 22 Nov 2026 06:05:00 -0800 (PST)
X-Original-Message-ID: <delivery-1@vendor.example>

Final-Recipient: rfc822; jo@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com. (192.0.2.10, the server for the domain example.com.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos
Last-Attempt-Date: Sun, 22 Nov 2026 06:05:03 -0800 (PST)

--00000000000032ff9a063a99824d
Content-Type: message/rfc822

X-Google-Smtp-Source: AGHT+IF
{returned}
--00000000000032ff9a063a99824d--
"""

_AMAZON_SES = """\
Return-Path: <>
Date: Sun, 22 Nov 2026 14:12:57 +0000
To: briefs@vendor.example
From: MAILER-DAEMON@email-bounces.amazonses.com
Subject: Delivery Status Notification (Failure)
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="QQp9R.4hiWd7/A6.1TVBzH.66J8Mo8"

--QQp9R.4hiWd7/A6.1TVBzH.66J8Mo8
content-type: text/plain;
    charset="utf-8"
Content-Transfer-Encoding: quoted-printable

The following message to <jo@example.com> was undeliverab=
le.
The reason for the problem:
5.4.7 - Delivery expired (message too old) 'timeout'

--QQp9R.4hiWd7/A6.1TVBzH.66J8Mo8
content-type: message/delivery-status

Reporting-MTA: dns; a8-70.smtp-out.amazonses.com

Final-Recipient: rfc822;jo@example.com
Action: failed
Status: 5.0.0 (permanent failure)
Diagnostic-Code: smtp; 5.4.7 - Delivery expired (message too old) 'timeout' (delivery attempts: 0)

--QQp9R.4hiWd7/A6.1TVBzH.66J8Mo8
content-type: message/rfc822

{returned}
--QQp9R.4hiWd7/A6.1TVBzH.66J8Mo8--
"""

_QMAIL = """\
Return-Path: <>
Date: 22 Nov 2026 14:05:00 -0000
From: MAILER-DAEMON@mx.vendor.example
To: briefs@vendor.example
Subject: failure notice

Hi. This is the qmail-send program at mx.vendor.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jo@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <briefs@vendor.example>
{returned}
"""

# What a report of each says is the reason; qmail's own form is not RFC 3464's.
REASONS: Mapping[str, str] = {
    "Postfix": "5.1.1, there is no such mailbox",
    "Exim": "5.2.1, the mailbox can't take it",
    "Microsoft 365": "5.1.10, the address is wrong",
    "Exchange": "5.2.2, the mailbox is full",
    "Gmail": "5.1.1, there is no such mailbox",
    "Amazon SES": "5.4.7, the receiving server was not reached in time",
}
_FORMS = {
    "Postfix": _POSTFIX, "Exim": _EXIM, "Microsoft 365": _MICROSOFT_365, "Exchange": _EXCHANGE, "Gmail": _GMAIL,
    "Amazon SES": _AMAZON_SES, "qmail": _QMAIL,
}  # fmt: skip


def mail_report(
    server: str, mail: EmailMessage, *, action: str = "failed", status: str = "5.1.1", headers_only: bool = False
) -> bytes:
    """Return what a server says of a mail that it could not deliver; Postfix may say something else of it."""
    whole = as_sent(mail)
    headers = whole.partition("\n\n")[0] + "\n"
    text = _FORMS[server].format(
        returned=headers if headers_only else whole,
        returned_headers=headers,
        returned_type="text/rfc822-headers" if headers_only else "message/rfc822",
        headers_only=" Headers" if headers_only else "",
        action=action,
        status=status,
    )
    return text.replace("\n", "\r\n").encode()


def as_sent(mail: EmailMessage) -> str:
    """Return a mail as a server has it, with line feeds alone."""
    kept = BytesIO()
    BytesGenerator(kept, mangle_from_=False, policy=mail.policy.clone(linesep="\n")).flatten(mail)
    return kept.getvalue().decode("ascii", "surrogateescape").replace("\r\n", "\n")
