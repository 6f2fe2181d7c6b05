"""The commands that tell the channels by hand, for bash and curl: what a recovery tells, and that it is over.

Addresses that are secrets, tokens and passwords are read where they lie, and are in no process's arguments.
"""

from __future__ import annotations

import re
import shlex

from tui.model.amounts import in_words
from tui.model.channels import ChannelSpec, GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.fleet import Database, Fleet
from tui.model.secret import Secret
from tui.model.text import clean

_JSON = "import json, sys; print(json.dumps(dict(zip(sys.argv[1::2], sys.argv[2::2]))))"
_SCHEMES = {"starttls": ("smtp", 587), "tls": ("smtps", 465), "none": ("smtp", 25)}


def telling(fleet: Fleet) -> tuple[str, ...]:
    """Defines `tell TITLE TEXT [close]`, which gives a message to every channel; one that fails is named."""
    said = ["tell() {", 'local TITLE="$1" SAY="$2"']
    if any(isinstance(channel, (Webhook, Slack)) for channel in fleet.channels):
        said.append(f'json() {{ python3 -c {shlex.quote(_JSON)} "$@"; }}')
    for channel in fleet.channels:
        *first, last = _one(channel)
        failed = shlex.quote(f"{clean(channel.name)} was not told.")
        said += [*first, f"{last} \\", f"  || echo {failed}"]
    return (*said, "}")


def declaring(fleet: Fleet, database: Database) -> tuple[str, ...]:
    """The first message, as the fleet's runbook words it: put in when the backup was taken."""
    text = (
        f"Database recovery in progress. ETA: {in_words(database.rto)}. Last backup: [TIMESTAMP]. "
        f"Database: {clean(database.name)}."
    )
    return (f"tell {shlex.quote(f'DR INITIATED: {clean(fleet.name)}')} \\", f"  {shlex.quote(text)}")


def resolving(fleet: Fleet, database: Database) -> tuple[str, ...]:
    """The last message; it closes an alert."""
    text = f"Database recovery complete. Database: {clean(database.name)}."
    return (
        f"PRIORITY=default TAGS=white_check_mark tell {shlex.quote(f'DR RESOLVED: {clean(fleet.name)}')} \\",
        f"  {shlex.quote(text)} close",
    )


def _one(channel: ChannelSpec) -> tuple[str, ...]:
    post = f"curl -fsS -m {channel.timeout_s:g} -o /dev/null"
    match channel:
        case Ntfy():
            tags = re.sub(r"[^\w,+-]", "", ",".join(channel.tags))
            return (
                f"{post} {_url(channel.url.rstrip('/') + '/', channel.topic)} \\",
                *_header("Authorization: Bearer ", channel.token),
                f'  -H "Title: $TITLE" -H "Priority: ${{PRIORITY:-{channel.priority}}}" \\',
                f'  -H "Tags: ${{TAGS:-{tags}}}" -d "$SAY"',
            )
        case Webhook():
            return (
                f'json title "$TITLE" text "$SAY" | {post} {_url("", channel.url)} \\',
                *_header(f"{channel.header}: ", channel.header_value),
                "  -H 'Content-Type: application/json' -d @-",
            )
        case Slack():
            return (
                f'json text "$TITLE: $SAY" | {post} {_url("", channel.url)} \\',
                "  -H 'Content-Type: application/json' -d @-",
            )
        case GoAlert():
            address = f"{channel.url.rstrip('/')}/api/v2/generic/incoming"
            return (
                f"{post} {shlex.quote(address)} \\",
                f'  --data-urlencode token@<(printf %s "{_held(channel.token)}") -d dedup=pgdr-by-hand \\',
                '  --data-urlencode "summary=$TITLE" --data-urlencode "details=$SAY" ${3:+-d action=close}',
            )
        case Mail():
            return _mail(channel, post)


def _mail(channel: Mail, post: str) -> tuple[str, ...]:
    scheme, port = _SCHEMES[channel.security]
    address = shlex.quote(f"{scheme}://{channel.host}:{channel.port or port}")
    to = " ".join(f"--mail-rcpt {shlex.quote(one)}" for one in channel.to)
    head = shlex.quote(f"From: {channel.sender}\\nTo: {', '.join(channel.to)}\\nSubject: %s\\n\\n%s\\n")
    login = []
    if channel.user is not None and channel.password is not None:
        user = shlex.quote(f'user = "{channel.user}:')
        login = [f'  -K <(echo {user}"{_held(channel.password)}"\'"\') \\']
    return (
        f'printf {head} "$TITLE" "$SAY" \\',
        f"  | {post} {address} {'--ssl-reqd ' if channel.security == 'starttls' else ''}\\",
        *login,
        f"  --mail-from {shlex.quote(channel.sender)} {to} -T -",
    )


def _url(base: str, rest: Secret | str) -> str:
    """An address, or one of which a part is a secret."""
    if isinstance(rest, str):
        return shlex.quote(base + rest)
    begin = shlex.quote(f'url = "{base}')
    return f'-K <(echo {begin}"{_held(rest)}"\'"\')'


def _header(name: str, secret: Secret | None) -> tuple[str, ...]:
    return (f'  -H @<(echo {shlex.quote(name)}"{_held(secret)}") \\',) if secret is not None else ()


def _held(secret: Secret) -> str:
    """What reads a secret, to stand between double quotes."""
    if secret.env is not None:
        return f"${{{secret.env}}}"
    return f"$(head -n 1 {shlex.quote(str(secret.file))})"
