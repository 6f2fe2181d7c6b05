"""Channels, messages and updates: what is wrong with them is said with its key and what to write instead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tui.config.load import load_text
from tui.model.channels import GoAlert, Mail, Slack
from tui.model.errors import ConfigError
from tui.model.fleet import Fleet, Updates
from tui.model.secret import Secret
from tui.model.wording import Occasion, Wording

SOURCE = Path("/etc/pgdr/pgdr.toml")
KONG = "[databases.kong]\n"
MAIL = "[channels.m]\nkind='mail'\nhost='h'\nfrom='a@x.org'\nto=['b@x.org']\n"


def read(text: str) -> Fleet:
    return load_text(KONG + text, SOURCE)


def test_the_kinds_of_channels() -> None:
    fleet = read(
        "[channels.chat]\nkind='slack'\nurl={env='U'}\nretry_for='1m'\n"
        "[channels.pager]\nkind='goalert'\nurl='http://localhost:8081'\ntoken={env='T'}\n"
        + MAIL
        + "security='tls'\nuser='u'\npassword={env='P'}\n"
    )
    assert fleet.channels == (
        Slack("chat", Secret(env="U"), retry_for_s=60),
        GoAlert("pager", "http://localhost:8081", Secret(env="T")),
        Mail("m", "h", "a@x.org", ("b@x.org",), security="tls", user="u", password=Secret(env="P")),
    )


def test_messages_and_updates() -> None:
    fleet = read(
        "[messages.declared]\ntitle='{fleet}: {{x}}'\n[messages.stood_down]\ntext='{reason}'\n"
        "[updates]\nevery='never'\nmoved='2m'\n"
    )
    assert fleet.messages == (
        Wording(Occasion.DECLARED, "{fleet}: {{x}}", None),
        Wording(Occasion.STOOD_DOWN, None, "{reason}"),
    )
    assert fleet.updates == Updates(None, timedelta(minutes=2))
    assert read("").updates == Updates()


@pytest.mark.parametrize(
    ("text", "key", "what", "mend"),
    [
        ("[messages.declard]\ntext='x'", "messages.declard", "no occasion", "[messages.declared]"),
        ("[messages.ready]\ntxt='x'", "messages.ready.txt", "not a key", "text"),
        ("[messages.ready]\ntext='{ready}'", "messages.ready.text", 'no field "ready"', "{ready_at}"),
        ("[messages.ready]\ntext='{zzzzz}'", "messages.ready.text", 'no field "zzzzz"', "Known: fleet"),
        ("[messages.ready]\ntitle='{fleet'", "messages.ready.title", "lone", None),
        ("[messages.ready]\ntitle='{fleet.name}'", "messages.ready.title", "no field", "fleet"),
        ("[messages.ready]\ntitle='{fleet:>9}'", "messages.ready.title", "no field", None),
        ("[updates]\nevery=5", "updates.every", "length of time", None),
        ("[channels.x]\nkind='slack'", "channels.x.url", "missing", None),
        ("[channels.x]\nkind='goalert'\nurl='http://h'", "channels.x.token", "missing", None),
        (MAIL.replace("'a@x.org'", "'Ann <a@x.org>'"), "channels.m.from", "e-mail address alone", None),
        (MAIL.replace("['b@x.org']", '["b@x.org\\r\\nBcc: c@x.org"]'), "channels.m.to", "item 1", None),
        (MAIL.replace("['b@x.org']", "[]"), "channels.m.to", "names nobody", None),
        (MAIL + "user='u'", "channels.m.password", "missing", None),
        (f"{MAIL}security='none'\nuser='u'\npassword={{env='P'}}", "channels.m.security", "as it is", None),
        (MAIL + "security='ssl'", "channels.m.security", "starttls", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_key(text: str, key: str, what: str, mend: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    problems = {problem.where.removeprefix(f"{SOURCE}: "): problem for problem in caught.value.problems}
    assert key in problems, problems
    assert what in problems[key].what
    assert mend is None or mend in (problems[key].mend or "")
