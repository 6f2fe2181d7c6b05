"""A message as e-mail, given to a server by SMTP (RFC 5321)."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tui.config.secrets import reveal
from tui.model.channels import Mail
from tui.model.errors import PgdrError, Unreachable
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.outcome import Later, Unsure, Untrusted

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_PRIORITIES = {"max": "1", "urgent": "1", "high": "2", "low": "4", "min": "5"}  # X-Priority; 3 is normal


def mail_of(channel: Mail, message: Message, now: datetime) -> EmailMessage:
    """Given the channel, the message and the time, returns the e-mail. Its Message-ID is the message's own,
    so that a mailbox which gets it twice can tell; those of an incident refer to one another."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = clean(message.title)
    made["From"] = channel.sender
    made["To"] = ", ".join(channel.to)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = _id(message.id, channel)
    if message.thread:
        made["References"] = _id(message.thread, channel)
    made["X-Priority"] = _PRIORITIES.get(message.priority or "urgent", "3")
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice comes back
    made.set_content(clean_lines(message.text) + "\n", charset="utf-8")
    return made


def mail_shown(channel: Mail, message: Message) -> str:
    """How the message looks."""
    head = f"From: {channel.sender}\nTo: {', '.join(channel.to)}\nSubject: {clean(message.title)}"
    return f"{head}\n\n{clean_lines(message.text)}"


def send_mail(channel: Mail, message: Message, now: datetime) -> None:
    """Gives the e-mail to the channel's server; returns when it has taken it for every recipient.

    Raises as `post` does, and PgdrError when only some recipients were taken. No error holds the password.
    """
    name = clean(channel.name)
    password = reveal(channel.password) if channel.password is not None else None
    try:
        with _connected(channel) as client:
            if channel.security == "starttls":
                client.starttls(context=ssl.create_default_context())
            if channel.user is not None and password is not None:
                client.login(channel.user, password)
            refused = client.send_message(mail_of(channel, message, now), channel.sender, list(channel.to))
    except smtplib.SMTPException as error:
        raise _said_no(name, error, channel) from None
    except ssl.SSLError:
        raise Untrusted(f"{name} has a certificate that can't be trusted.") from None
    except TimeoutError:
        raise Unreachable(f"{name} gave no answer within {channel.timeout_s:g} s.") from None
    except socket.gaierror:
        raise Unreachable(
            f"The name of {name}'s host doesn't resolve.", mend="Look at its host and at DNS."
        ) from None
    except ConnectionRefusedError:
        raise Unreachable(f"{name} refused the connection: nothing listens there.") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{name} can't be reached: {type(error).__name__}.") from None
    if refused:
        raise PgdrError(f"{name} took the message, but not for {', '.join(map(clean, refused))}.")


def _connected(channel: Mail) -> smtplib.SMTP:
    port = channel.port or _PORTS[channel.security]
    # Its own name is given: smtplib would ask DNS for it, and wait for as long as that takes.
    own = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"
    if channel.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(channel.host, port, own, timeout=channel.timeout_s, context=context)
    return smtplib.SMTP(channel.host, port, own, timeout=channel.timeout_s)


def _said_no(name: str, error: smtplib.SMTPException, channel: Mail) -> PgdrError:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return PgdrError(f"{name} refused the login ({error.smtp_code}).", mend="Look at user and password.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return PgdrError(
            f"{name} does not offer what its configuration asks for ({channel.security}, a login).",
            mend="Nothing was sent to it. Look at its port and at security.",
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = {clean(to): code for to, (code, _) in error.recipients.items()}
        what = f"{name} refused every recipient: " + ", ".join(f"{to} ({c})" for to, c in answers.items())
        later = all(400 <= code < 500 for code in answers.values())
        return Later(f"{what}.") if later else PgdrError(f"{what}.")
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        said = error.smtp_error
        words = clean(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said), 120)
        what = f"{name} did not take the message: it answered {error.smtp_code} {words}".rstrip(".")
        return Later(f"{what}.") if error.smtp_code < 500 else PgdrError(f"{what}.")
    if isinstance(error.__context__, TimeoutError):  # what smtplib makes of it is a connection that ended
        return Unsure(f"{name} gave no answer within {channel.timeout_s:g} s.")
    return Unsure(f"{name} ended the connection.")


def _id(text: str, channel: Mail) -> str:
    left = re.sub(r"[^A-Za-z0-9._-]", "-", text)[:120] or "pgdr"
    return f"<{left}@{channel.sender.rpartition('@')[2]}>"
