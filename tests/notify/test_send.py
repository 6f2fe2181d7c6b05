"""Messages as they arrive at a real HTTP server, and what is said when they don't."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timezone
from email.header import decode_header, make_header

import pytest

from tests.notify.conftest import Listener
from tui.model.channels import ChannelSpec, Ntfy, Webhook
from tui.model.errors import ConfigError, PgdrError, Unreachable
from tui.model.secret import Secret
from tui.notify.message import Message
from tui.notify.send import send, send_all

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
MESSAGE = Message(
    "DR INITIATED: KrystalineX", "Database recovery in progress.", fields={"event": "initiated"}
)
TOPIC = "very-secret-topic"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_TOPIC", TOPIC)
    monkeypatch.setenv("T_TOKEN", "tk_hidden")


def ntfy(url: str, timeout_s: float = 5.0, **more: object) -> Ntfy:
    return Ntfy(name="oncall", topic=Secret(env="T_TOPIC"), url=url, timeout_s=timeout_s, **more)  # type: ignore[arg-type]


def failure(channel: ChannelSpec, message: Message = MESSAGE) -> PgdrError:
    """What sending raises, and that it gives no secret away."""
    with pytest.raises(PgdrError) as caught:
        send(channel, message, NOW)
    error: BaseException | None = caught.value
    while error is not None:  # neither does what a traceback would show
        assert TOPIC not in str(error)
        assert "tk_hidden" not in str(error)
        error = error.__cause__
    return caught.value


def test_ntfy_gets_the_text_as_body_and_the_rest_as_headers(listener: Listener) -> None:
    send(ntfy(listener.url + "/", token=Secret(env="T_TOKEN")), MESSAGE, NOW)
    [asked] = listener.asked
    assert (asked.method, asked.path) == ("POST", f"/{TOPIC}")
    assert asked.body.decode() == MESSAGE.text
    assert asked.headers["Title"] == MESSAGE.title
    assert asked.headers["Priority"] == "urgent"
    assert asked.headers["Tags"] == "rotating_light,disaster"
    assert asked.headers["Authorization"] == "Bearer tk_hidden"


def test_a_message_may_say_its_own_priority_and_tags(listener: Listener) -> None:
    send(ntfy(listener.url), Message("t", "x", priority="low", tags=("tada",)), NOW)
    assert listener.asked[0].headers["Priority"] == "low"
    assert listener.asked[0].headers["Tags"] == "tada"


@pytest.mark.parametrize(
    "title", ["🔴 DR INITIATED: Größe", "=?UTF-8?Q?fake?=", "two\nlines: x\r\nX-Evil: 1"]
)
def test_any_title_is_one_header(listener: Listener, title: str) -> None:
    send(ntfy(listener.url), Message(title, "ünïcode\nsecond line"), NOW)
    [asked] = listener.asked
    assert asked.headers["Title"].isascii()
    shown = str(make_header(decode_header(asked.headers["Title"])))
    assert shown == title.replace("\r", r"\x0d").replace("\n", r"\x0a")
    assert "X-Evil" not in asked.headers
    assert asked.body.decode() == "ünïcode\nsecond line"


def test_a_long_text_is_cut_where_ntfy_would_make_it_an_attachment(listener: Listener) -> None:
    send(ntfy(listener.url), Message("t", "ü" * 5000), NOW)
    body = listener.asked[0].body
    assert len(body) <= 4096
    assert body.decode().endswith("ü…")


def test_a_topic_cannot_lead_elsewhere(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_TOPIC", "../v1/account?x=#y")
    send(ntfy(listener.url), MESSAGE, NOW)
    assert listener.asked[0].path == "/..%2Fv1%2Faccount%3Fx%3D%23y"


def test_a_webhook_gets_json(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_URL", f"{listener.url}/hooks/abc?key=1")
    hook = Webhook("chat", Secret(env="T_URL"), header="X-Token", header_value=Secret(env="T_TOKEN"))
    facts = {"event": "initiated", "eta": None}
    send(hook, Message("Größe", "one\ntwo", tags=("a", "b"), fields=facts, id="m-1"), NOW)
    [asked] = listener.asked
    assert (asked.method, asked.path) == ("POST", "/hooks/abc?key=1")
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["X-Token"] == "tk_hidden"
    assert asked.headers["Idempotency-Key"] == "m-1"
    assert json.loads(asked.body) == {
        "id": "m-1",
        "title": "Größe",
        "text": "one\ntwo",
        "priority": "urgent",
        "tags": ["a", "b"],
        "fields": {"event": "initiated", "eta": None},
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, "answered 500"), (404, "answered 404"), (403, "not allowed"), (429, "too many")],
)
def test_an_error_status_is_said(listener: Listener, status: int, said: str) -> None:
    listener.status = status
    error = failure(ntfy(listener.url))
    assert said in error.what
    assert "oncall" in error.what


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(listener: Listener, status: int) -> None:
    listener.status = status
    listener.headers = {"Location": "file:///etc/passwd" if status == 302 else "/elsewhere"}
    assert "redirects elsewhere" in failure(ntfy(listener.url)).what
    assert len(listener.asked) == 1


def test_silence_is_said(listener: Listener) -> None:
    listener.hang = True
    error = failure(ntfy(listener.url, timeout_s=0.2))
    assert isinstance(error, Unreachable)
    assert "gave no answer within 0.2 s" in error.what


def test_a_closed_port_and_an_unknown_name_are_said(listener: Listener) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening
        assert "refused the connection" in failure(ntfy(f"http://127.0.0.1:{free.getsockname()[1]}")).what
    assert "doesn't resolve" in failure(ntfy("http://ntfy.invalid")).what


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "no address",
        "http://",
        "http://h:99999/",
        "http://a b/",
        "http://u:p@h/",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert isinstance(failure(Webhook("chat", url)), ConfigError)


def test_a_missing_secret_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.delenv("T_TOPIC")
    error = failure(ntfy(listener.url))
    assert isinstance(error, ConfigError)
    assert "T_TOPIC" in error.what
    assert listener.asked == []


def test_all_channels_are_tried_and_none_waits_for_another(listener: Listener) -> None:
    channels = (
        ntfy("http://ntfy.invalid", retry_for_s=0.1),
        Webhook("chat", f"{listener.url}/hook"),
        Webhook("broken", "file:///x"),
    )
    sent = send_all(channels, MESSAGE, lambda: NOW)
    assert [s.channel for s in sent] == ["oncall", "chat", "broken"]
    assert [s.error is None for s in sent] == [False, True, False]
    assert all(s.at == NOW and s.title == MESSAGE.title for s in sent)
    assert send_all((), MESSAGE, lambda: NOW) == ()


def test_a_channel_that_drips_is_given_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may keep each wait short and never end: the deadline is for all of it."""
    monkeypatch.setattr("tui.notify.send._GRACE_S", 0.1)
    listener.hang = True
    slow = Webhook("slow", listener.url, timeout_s=0.1, retry_for_s=0.1)
    monkeypatch.setattr("tui.notify.send.post", lambda *_: listener.over.wait(20))
    [sent] = send_all((slow,), MESSAGE, lambda: NOW)
    assert sent.error == "slow gave no answer in time."
