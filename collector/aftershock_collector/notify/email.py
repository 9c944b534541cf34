"""E-mail by SMTP: plain text, one thread for each incident.

Limits: RFC 5322 (998 characters a line; folded by the standard library), and subjects that a phone
shows whole.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import httpx

from aftershock_collector.config.on_call import Mail, OnCall
from aftershock_collector.notify.http_post import Permanent, Retryable
from aftershock_collector.notify.page import Page
from aftershock_collector.notify.receiver import (
    STATE_WORDS,
    Message,
    OpenPages,
    PageReceiver,
    Receiver,
)
from aftershock_collector.store.interface import State
from aftershock_collector.wording import clean

SUBJECT_CHARS_MAX = 200
TIMEOUT_S = 10.0


def letter(page: Page, state: State, mail: Mail, now_ns: int) -> EmailMessage:
    """The message; later ones answer the first, so that a mail program shows one thread."""
    number = f"[#{page.incident}] " if page.incident else ""
    subject = f"{STATE_WORDS[state]}{number}{page.title}"
    found = EmailMessage()
    found["Subject"] = clean(subject, SUBJECT_CHARS_MAX)
    found["From"] = _address(mail.sender)
    found["To"] = [_address(one) for one in mail.to]
    found["Date"] = format_datetime(datetime.fromtimestamp(now_ns / 1e9, UTC))
    first = f"<{page.key}@aftershock.invalid>"
    if state is State.OPENED:
        found["Message-ID"] = first
    else:
        found["Message-ID"] = f"<{page.key}.{state}.{page.revision}@aftershock.invalid>"
        found["In-Reply-To"] = found["References"] = first
    found["Auto-Submitted"] = "auto-generated"
    found["X-Aftershock-Incident"] = str(page.incident or "")
    if page.severity == "critical" and state is State.OPENED:
        found["Importance"] = "high"
    links = [f"{link.label}: {link.url}" for link in page.links]
    found.set_content("\n".join([page.title, "", *page.body, "", *links]))
    return found


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The mailboxes that are configured."""
    if on_call.mail is not None:
        yield _receiver("email", on_call.mail)
    for named in on_call.named("email"):
        yield _receiver(named.name, Mail.parse(named.settings))


def _receiver(name: str, mail: Mail) -> PageReceiver:
    def send(_client: httpx.Client, page: Page, message: Message) -> str | None:
        try:
            _submit(mail, letter(page, message.state, mail, message.now_ns))
        except smtplib.SMTPAuthenticationError as error:
            raise Permanent(f"SMTP {error.smtp_code}: the user or the password is wrong") from error
        except smtplib.SMTPResponseException as error:
            words = clean(f"SMTP {error.smtp_code}: {error.smtp_error!r}", 200)
            raise (Permanent if 500 <= error.smtp_code < 600 else Retryable)(words) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise Permanent("every recipient was refused") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Retryable(clean(f"{type(error).__name__}: {error}", 200)) from error
        return None

    return PageReceiver(name, send)


def _submit(mail: Mail, message: EmailMessage) -> None:
    """Over TLS wherever the server offers it; a password never leaves without."""
    context = ssl.create_default_context()
    if mail.tls == "implicit":
        server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    with server:
        if mail.tls == "starttls":
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, mail.password or "")
        server.send_message(message)


def _address(text: str) -> Address:
    """`Name <name@host>` or a bare address; raises ValueError where it is neither."""
    name, _, rest = text.rpartition("<")
    return Address(display_name=name.strip(), addr_spec=rest.rstrip("> ").strip() or text)
