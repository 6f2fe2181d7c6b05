"""Slack's JSON and GoAlert's form as they arrive at a real server, whatever the message holds."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from urllib.parse import parse_qs

import pytest

from tests.notify.conftest import Listener
from tui.model.channels import GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.secret import Secret
from tui.notify.message import Message
from tui.notify.send import send, shown

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
HOSTILE = "<!channel> <@U1> a & b > c *x* _y_ `z` @here #general \x1b[31m"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_SECRET", "hidden")


def test_slack_gets_text_and_blocks_and_nothing_calls_anyone(listener: Listener) -> None:
    send(Slack("chat", f"{listener.url}/services/T/B/x"), Message("DR <!here>", f"one\n{HOSTILE}"), NOW)
    [asked] = listener.asked
    assert (asked.path, asked.headers["Content-Type"]) == ("/services/T/B/x", "application/json")
    document = json.loads(asked.body)
    header, section = document["blocks"]
    assert header == {"type": "header", "text": {"type": "plain_text", "text": "DR <!here>", "emoji": True}}
    assert section["text"]["type"] == "mrkdwn" and section["text"]["verbatim"] is True
    assert section["text"]["text"].startswith("one\n&lt;!channel&gt; &lt;@U1&gt; a &amp; b &gt; c")
    assert "<" not in document["text"] and "\x1b" not in asked.body.decode()


def test_a_long_text_fits_slacks_sections(listener: Listener) -> None:
    text = "\n".join(["&" * 1100, "short", "x" * 2000, "<" * 200])
    send(Slack("chat", listener.url), Message("t" * 400, text), NOW)
    document = json.loads(listener.asked[0].body)
    header, *sections = document["blocks"]
    assert len(header["text"]["text"]) == 150
    assert all(0 < len(s["text"]["text"]) <= 3000 for s in sections) and len(document["blocks"]) <= 50
    whole = "".join(s["text"]["text"] for s in sections)
    assert whole.count("&amp;") == 1100 and whole.count("&lt;") == 200
    assert whole.replace("&amp;", "").replace("&lt;", "").count("&") == 0  # none is cut in two
    send(Slack("chat", listener.url), Message("t", "&" * 9000), NOW)
    *most, last = (b["text"]["text"] for b in json.loads(listener.asked[1].body)["blocks"])
    assert last == "… (cut: too long for Slack)" and sum(map(len, most)) < 13_000


def test_goalert_gets_one_alert_for_an_incident_which_the_last_message_closes(listener: Listener) -> None:
    pager = GoAlert("pager", listener.url + "/", Secret(env="T_SECRET"))
    send(pager, Message("🔴 DR INITIATED", "one\ntwo & three", thread="pgdr-F-7"), NOW)
    send(pager, Message("DR RESOLVED", "done", thread="pgdr-F-7", closes=True), NOW)
    first, last = (parse_qs(asked.body.decode()) for asked in listener.asked)
    assert {asked.path for asked in listener.asked} == {"/api/v2/generic/incoming"}
    assert first == {
        "token": ["hidden"],
        "summary": ["🔴 DR INITIATED"],
        "details": ["one\ntwo & three"],
        "dedup": ["pgdr-F-7"],
    }
    assert last["action"] == ["close"] and last["dedup"] == first["dedup"]


def test_a_preview_shows_what_arrives_and_reads_no_secret() -> None:
    nowhere = Secret(env="PGDR_NOT_SET")
    message = Message("Title", "The text.", tags=("rotating_light", "disaster"), thread="t-7", id="m-1")
    assert shown(Ntfy("n", nowhere), message).splitlines() == [
        "🚨 Title",
        "The text.",
        "tags: disaster",
        "priority: urgent",
    ]
    assert json.loads(shown(Webhook("w", nowhere), message))["title"] == "Title"
    assert shown(Slack("s", nowhere), message) == "Title\nThe text."
    assert "makes the alert, or is counted on it: t-7" in shown(GoAlert("g", "http://g", nowhere), message)
    mail = shown(Mail("m", "h", "a@x.org", ("b@x.org", "c@x.org")), message)
    assert mail == "From: a@x.org\nTo: b@x.org, c@x.org\nSubject: Title\n\nThe text."
