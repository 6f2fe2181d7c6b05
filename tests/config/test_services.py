"""Services in the configuration: each kind, every problem at once, and written and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tui.config.advice import advice
from tui.config.load import load_text
from tui.config.write import text_of
from tui.model.errors import ConfigError
from tui.model.fleet import Database, Fleet
from tui.model.plan import Level
from tui.model.service import (
    CommandService,
    ComposeService,
    KubernetesService,
    ServiceSpec,
    SystemdService,
)

SOURCE = Path("/etc/pgdr/fleet.toml")
HEAD = "[databases.shop]\n"

EVERY: tuple[ServiceSpec, ...] = (
    ComposeService(name="plain", directory=Path("/srv/app")),
    ComposeService(
        name="all of it",
        timeout_s=90,
        health_url="http://h:1/health",
        health_status=204,
        health_json=(("status", "ok"), ("a.b-c", "3"), ("up", "true")),
        health_command=("/smoke", "--url", "a b", "--url"),
        health_within_s=120,
        program="docker-compose",
        file=Path("/srv/app/stack.yml"),
        project="kx",
        directory=Path("/srv"),
        service="web",
    ),
    KubernetesService(name="k", deployment="kx-server", namespace="krystalinex", context="prod"),
    KubernetesService(name="s", statefulset="db"),
    SystemdService(name="u", unit="web.service", user=True),
    SystemdService(name="r", unit="web@1.service", sudo=True),
    CommandService(
        name='we"ird\nname',
        stop=("/bin/stop", ""),
        start=("start", "\t", "é"),
        state=("state",),
        directory=Path("/x"),
    ),
)


def test_written_and_read_again() -> None:
    fleet = Fleet("Shop", SOURCE, (Database("shop", "shop", "shop"),), services=EVERY)
    assert load_text(text_of(fleet), SOURCE).services == fleet.services


def test_paths_begin_at_the_configuration() -> None:
    (found,) = load_text(
        HEAD + "[services.a]\nkind = 'command'\nstop = ['./run', './x']\nstart = ['../run']\n"
        "state = ['run']\ndirectory = 'here'",
        SOURCE,
    ).services
    assert isinstance(found, CommandService)
    assert (found.stop, found.start, found.state) == (
        ("/etc/pgdr/run", "./x"),
        ("/etc/pgdr/../run",),
        ("run",),
    )
    assert found.directory == Path("/etc/pgdr/here")


def test_a_unit_without_a_type_is_a_service() -> None:
    (found,) = load_text(HEAD + "[services.a]\nkind = 'systemd'\nunit = 'web'", SOURCE).services
    assert isinstance(found, SystemdService) and found.unit == "web.service"


A = "services.a"


@pytest.mark.parametrize(
    ("text", "key", "what", "mend"),
    [
        ("", f"{A}.kind", "is missing", "Known: compose, kubernetes, systemd, command."),
        ("kind = 'swarm'", f"{A}.kind", 'found "swarm"', None),
        ("kind = 'compose'", f"{A}.file", "is missing", "directory it lies in"),
        ("kind = 'compose'\nfile = 'f'\nunit = 'x'", f"{A}.unit", "not a key", None),
        ("kind = 'compose'\nfile = 'f'\nservice = '--all'", f"{A}.service", "doesn't begin with -", None),
        ("kind = 'compose'\nfile = 'f'\nprogram = '\"'", f"{A}.program", '"docker-compose"', None),
        ("kind = 'kubernetes'", f"{A}.deployment", "is missing", "or a statefulset"),
        ("kind = 'kubernetes'\ndeployment = 'd'\nstatefulset = 's'", f"{A}.statefulset", "beside", "Keep"),
        ("kind = 'kubernetes'\ndeployment = 'a b'", f"{A}.deployment", "without blanks", None),
        ("kind = 'systemd'", f"{A}.unit", "is missing", None),
        ("kind = 'systemd'\nunit = '../x'", f"{A}.unit", "a unit's name", None),
        ("kind = 'systemd'\nunit = 'x'\nuser = true\nsudo = true", f"{A}.sudo", "beside user", "Keep one"),
        ("kind = 'command'\nstart = ['a']\nstate = ['b']", f"{A}.stop", "is missing", None),
        ("kind = 'command'\nstop = 'a b'\nstart = ['a']\nstate = ['b']", f"{A}.stop", "no shell", '["'),
        ("kind = 'command'\nstop = []\nstart = ['a']\nstate = ['b']", f"{A}.stop", "expected a list", None),
        ("kind = 'command'\nstop = [1]\nstart = ['a']\nstate = ['b']", f"{A}.stop", "item 1", None),
        ("kind = 'systemd'\nunit = 'x'\nhealth_status = 200", f"{A}.health_status", "asks nobody", "url"),
        ("kind = 'systemd'\nunit = 'x'\nhealth_within = '9s'", f"{A}.health_within", "asks nobody", None),
        (
            "kind = 'systemd'\nunit = 'x'\nhealth_url = 'http://h'\nhealth_json = 'ok'",
            f"{A}.health_json", "expected a table", None,
        ),
        (
            "kind = 'systemd'\nunit = 'x'\nhealth_url = 'http://h'\nhealth_json = { a = [1] }",
            f"{A}.health_json", '"a": expected text', None,
        ),
        ("kind = 'systemd'\nunit = 'x'\nhealth_url = 'http://u:pass@h'", f"{A}.health_url", "password", None),
        ("kind = 'systemd'\nunit = 'x'\ntimeout = '1h'", f"{A}.timeout", '"1s" to "10m"', None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one(text: str, key: str, what: str, mend: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"{HEAD}[services.a]\n{text}", SOURCE)
    (problem,) = caught.value.problems
    assert problem.where == f"{SOURCE}: {key}"
    assert what in problem.what and (mend is None or mend in (problem.mend or ""))
    assert "pass@" not in str(problem)


def test_every_problem_at_once() -> None:
    text = HEAD + "[services.a]\nkind = 'kubernetes'\n[services.b]\nkind = 'systemd'\ntimout = '5s'"
    with pytest.raises(ConfigError) as caught:
        load_text(text, SOURCE)
    assert {p.where.split(": ")[1] for p in caught.value.problems} == {
        "services.a.deployment",
        "services.b.unit",
        "services.b.timout",
    }


def test_a_service_that_is_described_nowhere_is_advised_of_and_keeps_nothing_from_working() -> None:
    fleet = load_text(
        "[databases.shop]\nservices = ['sever', 'mailer']\nbackup.every = 'on demand'\n"
        "[services.server]\nkind = 'systemd'\nunit = 'x'",
        SOURCE,
    )
    found = [f for f in advice(fleet) if f.about == "databases.shop.services"]
    assert [f.level for f in found] == [Level.STOP] * 2
    assert 'no service "sever"' in found[0].what and "Did you mean server?" in str(found[0].mend)
    assert str(found[1].mend).startswith("Write [services.mailer]")
    assert not any(
        f.about.endswith(".services")
        for f in advice(replace(fleet, databases=(replace(fleet.databases[0], services=("server",)),)))
    )
