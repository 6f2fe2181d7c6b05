"""E-mail given to real SMTP servers: as it arrives, encrypted, with a login; what is said when it fails."""

from __future__ import annotations

import socket
import ssl
import threading
from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tui.model.channels import Mail
from tui.model.errors import PgdrError, Unreachable
from tui.model.secret import Secret
from tui.notify.mail import send_mail
from tui.notify.message import Message
from tui.notify.outcome import Later, Unsure, Untrusted, worth_another_try
from tui.notify.send import send_all

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
MESSAGE = Message("🔴 DR INITIATED: Größe", "one\ntwo", id="m-1", thread="pgdr-F-7")


@dataclass
class Postbox:
    """What a server took, and what it says to whom."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, options: Any) -> str:  # noqa: N802
        if to in self.refuse:
            return self.refuse[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        self.to.append(list(envelope.rcpt_tos))
        return "250 taken"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"hidden", handled=False)


Serve = Callable[..., AbstractContextManager[Postbox]]


@contextmanager
def serving(**how: Any) -> Iterator[Postbox]:
    """A server on a port of its own."""
    box = Postbox()

    class Here(Controller):
        def factory(self) -> SMTP:
            return SMTP(box, authenticator=box.login, hostname="mail.test", **how.get("smtp", {}))

        def _trigger_server(self) -> None:  # its first connection, which needs to know the port that 0 became
            self.port = box.port = cast(Server, self.server).sockets[0].getsockname()[1]
            super()._trigger_server()  # type: ignore[no-untyped-call]

    controller = Here(box, hostname="127.0.0.1", port=0, ssl_context=how.get("tls"), ready_timeout=20)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, of an authority that is trusted here."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_PASSWORD", "hidden")


def mail(port: int, **how: Any) -> Mail:
    said = {"security": "none", "timeout_s": 5.0, **how}
    return Mail("post", "localhost", "pgdr@example.org", ("a@example.org", "b@example.org"), port, **said)


def failure(channel: Mail, message: Message = MESSAGE) -> PgdrError:
    with pytest.raises(PgdrError) as caught:
        send_mail(channel, message, NOW)
    assert "hidden" not in str(caught.value)
    return caught.value


def test_an_e_mail_reaches_every_recipient_as_it_was_written() -> None:
    with serving() as box:
        send_mail(mail(box.port), MESSAGE, NOW)
    [got] = box.taken
    assert box.to == [["a@example.org", "b@example.org"]]
    assert got["Subject"] == MESSAGE.title and got["From"] == "pgdr@example.org"
    assert got.get_content().splitlines() == ["one", "two"]
    assert got["Message-ID"] == "<m-1@example.org>" and got["References"] == "<pgdr-F-7@example.org>"
    assert got["Date"].datetime == NOW and got["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("title", ["x\r\nBcc: evil@example.org", "x\nSubject: y", "\u2028Bcc: e", "a" * 2000])
def test_a_title_is_one_header_and_a_text_ends_nothing(title: str) -> None:
    with serving() as box:
        send_mail(mail(box.port), Message(title, "before\n.\nafter\r\nRSET\r\nMAIL FROM:<x@y>"), NOW)
    [got] = box.taken
    assert got["Bcc"] is None and len(got.get_all("Subject") or ()) == 1
    assert box.to == [["a@example.org", "b@example.org"]]
    assert got.get_content().splitlines() == ["before", ".", "after", "RSET", "MAIL FROM:<x@y>"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_encrypted_before_anyone_logs_in(security: str, tls: ssl.SSLContext) -> None:
    how: dict[str, Any] = {"tls": tls, "smtp": {"auth_require_tls": False}} if security == "tls" else {
        "smtp": {"tls_context": tls, "require_starttls": True}
    }  # fmt: skip
    with serving(**how) as box:
        channel = mail(box.port, security=security, user="pgdr", password=Secret(env="T_PASSWORD"))
        send_mail(channel, MESSAGE, NOW)
    assert box.logins == [("pgdr", "hidden")] and len(box.taken) == 1


def test_a_wrong_password_is_said_without_it(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_PASSWORD", "not-hidden-enough")
    with serving(smtp={"tls_context": tls}) as box:
        error = failure(mail(box.port, security="starttls", user="x", password=Secret(env="T_PASSWORD")))
    assert "refused the login (535)" in error.what and not worth_another_try(error, True)


def test_no_password_goes_to_a_server_that_cannot_encrypt_or_be_trusted(tls: ssl.SSLContext) -> None:
    login = {"security": "starttls", "user": "x", "password": Secret(env="T_PASSWORD")}
    with serving(smtp={"auth_require_tls": False}) as box:
        assert "does not offer" in failure(mail(box.port, **login)).what
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(stranger)
    with serving(smtp={"tls_context": stranger}) as other:
        assert isinstance(failure(mail(other.port, **login)), Untrusted)
    assert box.logins == other.logins == [] and box.taken == other.taken == []


def test_who_was_refused_is_named() -> None:
    with serving() as box:
        box.refuse = {"b@example.org": "550 no such user"}
        error = failure(mail(box.port))
        assert "not for b@example.org" in error.what and not worth_another_try(error, True)
        box.refuse |= {"a@example.org": "550 no such user"}
        assert "refused every recipient" in failure(mail(box.port)).what
        box.refuse = dict.fromkeys(box.refuse, "451 greylisted, come back")
        assert isinstance(failure(mail(box.port)), Later)
    assert len(box.taken) == 1


def test_not_now_is_tried_again_and_never_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.notify.send._FIRST_WAIT_S", 0.02)
    with serving() as box:
        box.answers = ["451 busy\x1b[31m", "421 later"]
        [sent] = send_all((mail(box.port),), MESSAGE, lambda: NOW)
        assert (sent.error, sent.tries) == (None, 3)
        box.answers = ["554 spam, go away"]
        [sent] = send_all((mail(box.port),), MESSAGE, lambda: NOW)
        assert sent.tries == 1 and "answered 554 spam, go away" in (sent.error or "")
    assert [m["Message-ID"] for m in box.taken] == ["<m-1@example.org>"]


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = failure(mail(port, timeout_s=0.2))
        assert isinstance(error, Unreachable) and "gave no answer within 0.2 s" in error.what
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert "nothing listens there" in failure(mail(free.getsockname()[1])).what
    unknown = Mail("post", "mail.invalid", "a@b.c", ("d@e.f",), security="none")
    assert "doesn't resolve" in failure(unknown).what


def test_a_server_that_hangs_up_in_the_middle_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            link, _ = server.accept()
            link.sendall(b"220 mail.test\r\n")
            link.recv(100)
            link.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        error = failure(mail(server.getsockname()[1]))
        thread.join(10)
    assert isinstance(error, Unsure) and "ended the connection" in error.what
