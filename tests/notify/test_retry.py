"""What is tried again, for how long, and what isn't: against a real HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.notify.conftest import Listener
from tui.model.channels import ChannelSpec, GoAlert, Ntfy, Slack, Webhook
from tui.model.incident import Sent
from tui.model.secret import Secret
from tui.notify.message import Message
from tui.notify.send import send_all

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
MESSAGE = Message("t", "x", id="m-1", thread="incident-7")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.notify.send._FIRST_WAIT_S", 0.02)
    monkeypatch.setenv("T_SECRET", "hidden")


def sent_to(channel: ChannelSpec) -> Sent:
    [sent] = send_all((channel,), MESSAGE, lambda: NOW)
    assert "hidden" not in (sent.error or "")
    return sent


def kinds(url: str, **how: Any) -> list[ChannelSpec]:
    secret = Secret(env="T_SECRET")
    return [
        Ntfy("a", secret, url, timeout_s=5, **how),
        Webhook("b", url, timeout_s=5, **how),
        Slack("c", url, timeout_s=5, **how),
        GoAlert("d", url, secret, timeout_s=5, **how),
    ]


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_a_server_that_fails_first_is_told_in_the_end(listener: Listener, status: int) -> None:
    listener.answers = [status, status]
    sent = sent_to(Webhook("hook", listener.url, timeout_s=5))
    assert (sent.error, sent.tries, len(listener.asked)) == (None, 3, 3)
    assert {asked.headers["Idempotency-Key"] for asked in listener.asked} == {"m-1"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301])
def test_a_plain_no_is_not_asked_twice(listener: Listener, status: int) -> None:
    listener.status = status
    for channel in kinds(listener.url):
        listener.asked.clear()
        sent = sent_to(channel)
        assert sent.error and sent.tries == 1 and len(listener.asked) == 1


def test_trying_ends_at_the_deadline_and_says_how_often(listener: Listener) -> None:
    listener.status = 503
    for channel in kinds(listener.url, retry_for_s=0.3):
        listener.asked.clear()
        sent = sent_to(channel)
        assert sent.tries == len(listener.asked) > 2
        assert f"Tried {sent.tries} times." in (sent.error or "") and "503" in (sent.error or "")


def test_a_wait_that_the_server_asks_for_and_that_is_too_long_ends_it(listener: Listener) -> None:
    listener.status, listener.headers = 429, {"Retry-After": "3600"}
    sent = sent_to(Webhook("hook", listener.url, timeout_s=5))
    assert sent.tries == 1 and "too many" in (sent.error or "")


def test_what_may_have_been_taken_is_sent_again_only_where_it_is_shown_once(listener: Listener) -> None:
    listener.hang = True
    how: dict[str, Any] = {"timeout_s": 0.1, "retry_for_s": 0.4}
    assert sent_to(Slack("chat", listener.url, **how)).tries == 1
    assert len(listener.asked) == 1
    assert sent_to(Ntfy("a", Secret(env="T_SECRET"), listener.url, **how)).tries > 1
    assert len({asked.headers["X-Sequence-Id"] for asked in listener.asked[1:]}) == 1


def test_each_outcome_is_told_when_it_is_known_and_none_waits_for_a_hung_one(listener: Listener) -> None:
    listener.slow = {"/hung"}
    told: list[str] = []
    quick_is_there = threading.Event()

    def on_sent(sent: Sent) -> None:
        told.append(sent.channel)
        if sent.channel == "quick":
            quick_is_there.set()
            listener.over.set()

    hung = Webhook("hung", f"{listener.url}/hung", timeout_s=30, retry_for_s=1)
    sent = send_all((hung, Webhook("quick", listener.url)), MESSAGE, lambda: NOW, on_sent)
    assert quick_is_there.is_set() and told[0] == "quick"
    assert [s.channel for s in sent] == ["hung", "quick"]


def test_a_fault_of_this_program_is_said_too(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> Callable[[], None]:
        raise ZeroDivisionError

    monkeypatch.setattr("tui.notify.send.webhook_request", breaks)
    assert sent_to(Webhook("hook", listener.url)).error == "It couldn't be sent: ZeroDivisionError."
