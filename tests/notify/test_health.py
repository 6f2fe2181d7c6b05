"""A service's health, asked of a real HTTP server; and the places that servers run in."""

from __future__ import annotations

import socket

import pytest

from tests.notify.conftest import Listener
from tui.model.errors import ConfigError
from tui.model.fleet import Database, Endpoint
from tui.places.open import open_place
from tui.services.health import ask


def test_a_healthy_service(listener: Listener) -> None:
    listener.body = b'{"status": "ok\x1b[2J"}\n'
    health = ask(f"{listener.url}/health", 5)
    assert health.ok
    assert health.what == '200 OK: {"status": "ok\\x1b[2J"}'
    assert listener.asked[0].method == "GET"


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_any_other_status_is_not_healthy(listener: Listener, status: int) -> None:
    listener.status = status
    listener.headers = {"Location": "/login"}
    listener.body = b"x" * 10_000
    health = ask(listener.url, 5)
    assert not health.ok
    assert health.what.startswith(f"{status} ")
    assert len(health.what) < 300
    assert len(listener.asked) == 1


def test_no_answer_is_said(listener: Listener) -> None:
    listener.hang = True
    assert "no answer within 0.2 s" in ask(listener.url, 0.2).what
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert "nothing listens" in ask(f"http://127.0.0.1:{free.getsockname()[1]}", 5).what
    assert "doesn't resolve" in ask("http://health.invalid/", 5).what
    for url in (
        "file:///etc/passwd",
        "http://user:hidden@h/",
        "http://h:port/",
        "http://a b/",
        "",
        "http://[::1",
    ):
        health = ask(url, 1)
        assert not health.ok
        assert "address" in health.what


def test_places() -> None:
    endpoint = Endpoint("127.0.0.1", 5433, "exchange")
    assert open_place(Database("a", "a", "s", endpoint=endpoint)) is endpoint
    assert open_place(Database("a", "a", "s", place="docker:app-database", endpoint=endpoint)) is endpoint
    by_service = Endpoint(pg_service="app")
    assert open_place(Database("a", "a", "s", place="docker:x", endpoint=by_service)) is by_service
    with pytest.raises(ConfigError, match="app-database, but its configuration has no host"):
        open_place(Database("a", "a", "s", place="docker:app-database"))
    for place in ("docker:", "kubernetes:pod", "ssh:host", ""):
        with pytest.raises(ConfigError, match="not one that pgdr opens"):
            open_place(Database("a", "a", "s", place=place, endpoint=endpoint))
