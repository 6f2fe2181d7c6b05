"""The smokes of a database, and how an application is given another address: read, written, refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tui.config.load import load_text
from tui.config.write import text_of
from tui.model.errors import ConfigError
from tui.model.fleet import Fleet

HERE = Path("/etc/pgdr/pgdr.toml")
SHOP = """
[databases.shop]
host = "db1"
set_address = ["./set-url", "{host}", "{port}", "{dbname}", "{url}"]
remove_old_after = "3d"
[[databases.shop.smokes]]
name = "sales"
kind = "sql"
sql = "SELECT count(*) FROM sales"
expect = 12
when = "live"
[[databases.shop.smokes]]
name = "suite"
kind = "command"
command = ["./smokes.sh", "--quick", ""]
exit_code = 2
timeout = "90s"
[[databases.shop.smokes]]
name = "ready"
kind = "http"
url = "http://localhost:5000/ready"
status = 204
json = { status = "ok", checks = { database = true }, "n.m" = 3 }
"""


def read(text: str) -> Fleet:
    return load_text(text, HERE)


def test_every_kind_is_read_and_written_again() -> None:
    (shop,) = read(SHOP).databases
    assert shop.set_address == ("/etc/pgdr/set-url", "{host}", "{port}", "{dbname}", "{url}")
    assert shop.remove_old_after == timedelta(days=3)
    sql, command, http = shop.smokes
    assert (sql.kind, sql.sql, sql.expect, sql.when) == ("sql", "SELECT count(*) FROM sales", "12", "live")
    assert command.command == ("/etc/pgdr/smokes.sh", "--quick", "")
    assert (command.exit_code, command.timeout_s, command.when) == (2, 90, "restored")
    assert (http.url, http.status, http.when) == ("http://localhost:5000/ready", 204, "live")
    assert http.json == (("status", "ok"), ("checks.database", "true"), ("n.m", "3"))
    assert read(text_of(read(SHOP))).databases == (shop,)


def test_without_a_word_nothing_is_asked_and_a_week_is_kept() -> None:
    (shop,) = read("[databases.shop]\n").databases
    assert (shop.smokes, shop.set_address, shop.remove_old_after) == ((), (), timedelta(days=7))


SMOKE = "[databases.shop]\n[[databases.shop.smokes]]\n"


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        (SMOKE + "name = 'a'", "databases.shop.smokes[1].kind", "is missing"),
        (SMOKE + "name = 'a'\nkind = 'ping'", "databases.shop.smokes[1].kind", "expected"),
        (SMOKE + "name = 'a'\nkind = 'sql'\nsql = 'SELECT 1'", "smokes[1].expect", "is missing"),
        (SMOKE + "kind = 'sql'\nsql = 'SELECT 1'\nexpect = '1'", "smokes[1].name", "is missing"),
        (SMOKE + "name = 'a'\nkind = 'command'\ncommand = 'ls -l'", "smokes[1].command", "no shell"),
        (SMOKE + "name = 'a'\nkind = 'command'\ncommand = ['ls']\nexit_code = 300", "exit_code", "255"),
        (SMOKE + "name = 'a'\nkind = 'http'\nurl = 'ftp://h'", "smokes[1].url", "http://"),
        (SMOKE + "name = 'a'\nkind = 'http'\nurl = 'http://h'\nwhen = 'restored'", "smokes[1].when", "live"),
        (SMOKE + "name = 'a'\nkind = 'http'\nurl = 'http://h'\nsql = 'x'", "smokes[1].sql", "not a key"),
        (SMOKE + "name = 'a'\nkind = 'http'\nurl = 'http://h'\njson = 'ok'", "smokes[1].json", "table"),
        ("[databases.shop]\nsmokes = 'all'", "databases.shop.smokes", "a list of tables"),
        ("[databases.shop]\nsmokes = ['all']", "databases.shop.smokes[1]", "expected a table"),
        ("[databases.shop]\nset_address = 'set {url}'", "databases.shop.set_address", "no shell"),
        ("[databases.shop]\nremove_old_after = 'soon'", "databases.shop.remove_old_after", "expected"),
        (
            SMOKE + "name = 'a'\nkind = 'http'\nurl = 'http://h'\n[[databases.shop.smokes]]\nname = 'a'\n"
            "kind = 'http'\nurl = 'http://i'",
            "smokes[2].name",
            "same name",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key(text: str, key: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text)
    told = [p for p in refused.value.problems if key in p.where]
    assert told and what in told[0].what, refused.value.problems


def test_a_password_in_an_address_is_neither_taken_nor_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        read(SMOKE + "name = 'a'\nkind = 'http'\nurl = 'http://u:hunter2@h/'")
    assert "hunter2" not in str(refused.value.problems)
