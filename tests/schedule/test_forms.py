"""Each printed form as its own reader takes it: the shell, systemd, kubectl, YAML, XML, Windows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import kubernetes_validate
import pytest
import yaml
from cronsim import CronSim

from tests.schedule.conftest import HOSTILE, needs
from tests.schedule.test_times import NOW
from tui.config.load import load
from tui.config.secrets import variables_of
from tui.config.write import text_of
from tui.model.errors import UsageError
from tui.model.fleet import Database, Encryption, Fleet
from tui.model.secret import Secret
from tui.operations.schedule.cron import crontab
from tui.operations.schedule.kubernetes import cron_jobs
from tui.operations.schedule.schedule import Schedule, check_argument, schedule, slug
from tui.operations.schedule.systemd import units
from tui.operations.schedule.windows import tasks

SAMPLE = Path(__file__).parents[2] / "sample.toml"
COMMAND = ("/opt/my %tools/pgdr", "--config", "/etc/it's/50% $HOME/pgdr.toml")
VARIABLES = ("HOOK", "SHOP_PASSWORD")


@pytest.fixture
def made(hostile: Fleet) -> Schedule:
    return schedule(hostile)


def wanted(made: Schedule) -> list[list[str]]:
    return [[*COMMAND, *task.arguments] for task in made.tasks]


def test_every_database_component_and_the_upkeep_are_in_it(made: Schedule, hostile: Fleet) -> None:
    said = [task.arguments for task in made.tasks]
    assert len({task.name for task in made.tasks}) == len(said) == len(HOSTILE) + 1 + 3
    assert all(re.fullmatch(r"[a-z0-9-]{1,52}", f"pgdr-{task.name}") for task in made.tasks)
    assert ("backup", "--quiet", "--notify-failure", "we ird") in said
    assert ("backup", "--quiet", "--notify-failure", "--", "--all") in said
    assert ("backup", "--quiet", "--notify-failure", "--component=some files") in said
    assert ("prune", "--quiet", "--confirm=The % fleet's") in said and ("verify", "--due") in said
    assert made.unscheduled == ("Component shown: by hand; pgdr doesn't back it up.",)
    assert variables_of(hostile) == VARIABLES


def test_the_sample_by_its_environments() -> None:
    fleet = load(SAMPLE)
    dev, staging, prod = (schedule(fleet, name) for name in ("dev", "staging", "prod"))
    assert dev.unscheduled == ("cryptopi_dev (dev): on demand, by hand.",)
    assert dev.tasks == ()
    (backup, prune, verify, late) = staging.tasks
    assert backup.times.cron.split()[2:] == ["*", "*", "*"] and "*/" not in backup.times.cron
    assert prune.arguments == ("prune", "--quiet", "--confirm=cryptopi_staging", "cryptopi_staging")
    assert verify.arguments == ("verify", "--due", "cryptopi_staging") and late.times.cron.endswith("* * * *")
    several = [task for task in prod.tasks if task.arguments[-1] in ("crypto_exchange", "cryptopi_prod")]
    assert [task.times.cron.split()[1] for task in several[:1]] == ["*/6"]
    with pytest.raises(UsageError, match="environment"):
        schedule(fleet, "nowhere")


def printed(command: str) -> list[str]:
    """The arguments that a shell makes of a command."""
    script = f"printf '%s\\0' {command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env={"HOME": "/wrong"})
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("takes_backslashes", [True, False])
def test_cron_and_the_shell_hand_on_every_name(made: Schedule, takes_backslashes: bool) -> None:
    text = crontab(made, COMMAND, VARIABLES)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = []
    for line in lines:
        *fields, command = line.split(" ", 5)
        next(CronSim(" ".join(fields), NOW))
        assert not re.search(r"(?<!\\)%", command)
        # cron takes the backslash away (cronie, Debian's); one that knows no % leaves it to the shell
        found.append(printed(command.replace("\\%", "%") if takes_backslashes else command))
    assert found == wanted(made) and "HOOK, SHOP_PASSWORD" in text


def test_a_line_longer_than_cron_takes_is_refused(made: Schedule) -> None:
    with pytest.raises(UsageError, match="longer"):
        crontab(made, ("/opt/" + "x" * 1000,), ())
    with pytest.raises(UsageError, match="control"):
        check_argument("a\nb")


def test_systemd_takes_the_units_and_every_name(made: Schedule, tmp_path: Path) -> None:
    needs("systemd-analyze")
    program = tmp_path / "my %tools" / "pgdr"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    command = (str(program), *COMMAND[1:])
    written = units(made, command, VARIABLES, "daemon")
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in written.items():
        (folder / name).write_text(text)
    paths = [str(folder / name) for name in written]
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_COLOR": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True,
                          check=False, env=environment)  # fmt: skip
    assert done.returncode == 0, done.stderr
    plain = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    assert not [line for line in plain.stderr.splitlines() if "pgdr-" in line], plain.stderr
    lines = re.findall(r"Command Line: (.*)", done.stdout + done.stderr)
    # It prints them quoted for a shell, but for what begins with "#"; `$$` becomes `$` only at the start.
    shown = [printed(line.replace(" #", " \\#")) for line in lines if "pgdr" in line]
    found = {tuple(part.replace("$$", "$") for part in parts) for parts in shown}
    assert {(*command, *task.arguments) for task in made.tasks} <= found


def test_a_timer_has_what_it_needs(made: Schedule) -> None:
    written = units(made, COMMAND, (), None)
    timer, service = written["pgdr-prune.timer"], written["pgdr-prune.service"]
    assert "Persistent=true" in timer and "RandomizedDelaySec=300" in timer
    assert "SuccessExitStatus=3" in service and "User=" not in service and "EnvironmentFile" not in service


@pytest.mark.parametrize("version", ["1.27", "1.31"])
def test_kubernetes_own_schemas_know_every_field(hostile: Fleet, made: Schedule, version: str) -> None:
    for document in manifests(hostile, made):
        kubernetes_validate.validate(document, version, strict=True)
    broken = manifests(hostile, made)[1]
    broken["spec"]["concurencyPolicy"] = "Forbid"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, version, strict=True)


def manifests(hostile: Fleet, made: Schedule) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(cron_jobs(hostile, made, VARIABLES, "registry/pgdr:1")))


def test_kubernetes_has_every_name_and_what_the_documents_ask_for(hostile: Fleet, made: Schedule) -> None:
    claim, *jobs = manifests(hostile, made)
    assert claim["kind"] == "PersistentVolumeClaim" and len(jobs) == len(made.tasks)
    for task, job in zip(made.tasks, jobs, strict=True):
        spec = job["spec"]
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert (
            spec["concurrencyPolicy"],
            spec["successfulJobsHistoryLimit"],
            spec["failedJobsHistoryLimit"],
        ) == (
            "Forbid",
            3,
            3,
        )
        assert 60 <= spec["startingDeadlineSeconds"] <= 3600 and pod["restartPolicy"] == "OnFailure"
        given = [re.sub(r"\$\$\(", "$(", part) for part in container["args"]]
        assert given == ["--config", "/etc/pgdr/pgdr.toml", "--state", "/var/lib/pgdr", *task.arguments]
        assert [e["valueFrom"]["secretKeyRef"] for e in container["env"]] == [
            {"name": "pgdr", "key": name} for name in VARIABLES
        ]
        places = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert places == {"/etc/pgdr/pgdr.toml", "/var/lib/pgdr", "/etc/pgdr/backups", "/mnt/disk"}
        assert pod["volumes"][1]["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"]}
        next(CronSim(spec["schedule"], NOW))


def test_kubectl_reads_the_manifests_without_losing_anything(
    hostile: Fleet, made: Schedule, tmp_path: Path
) -> None:
    """`kubectl set` decodes into Kubernetes' own types with no server: an unknown field would be lost, a
    wrong type refused. Not demanded in CI: distributions' packages of it are older than batch/v1."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed.")
    path = tmp_path / "jobs.yaml"
    # Without the claim, which has no image to set
    path.write_text(cron_jobs(hostile, made, VARIABLES, "registry/pgdr:1").partition("\n---\n")[2])
    _, *jobs = manifests(hostile, made)
    argv = ["kubectl", "set", "image", "--local", "-f", str(path), "pgdr=other/image:2", "-o", "json"]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    decoder, rest = json.JSONDecoder(), done.stdout.lstrip()
    found: list[dict[str, Any]] = []
    while rest:
        document, end = decoder.raw_decode(rest)
        rest = rest[end:].lstrip()
        found += document["items"] if document["kind"] == "List" else [document]
    found = [document for document in found if document["kind"] == "CronJob"]
    assert len(found) == len(jobs)
    for ours, theirs in zip(jobs, found, strict=True):
        ours["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] = "other/image:2"
        assert_within(ours, theirs)


def assert_within(ours: Any, theirs: Any) -> None:
    if isinstance(ours, dict):
        for key, value in ours.items():
            assert key in theirs, key
            assert_within(value, theirs[key])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_within(one, other)
    else:
        assert ours == theirs


def windows_argv(line: str) -> list[str]:
    """Takes a command line apart as Microsoft's C runtime does ("Parsing C command-line arguments")."""
    found: list[str] = []
    part, started, quoted, place = "", False, False, 0
    while place < len(line):
        run = len(line[place:]) - len(line[place:].lstrip("\\"))
        place += run
        char = line[place : place + 1]
        part += "\\" * (run // 2 if char == '"' else run)
        started = started or run > 0
        if char == '"' and run % 2:
            part += '"'
        elif char == '"':
            quoted, started = not quoted, True
        elif char in (" ", "\t") and not quoted:
            if started:
                found.append(part)
            part, started = "", False
        elif char:
            part, started = part + char, True
        place += 1
    return [*found, part] if started else found


def test_windows_has_every_name(made: Schedule) -> None:
    text = tasks(made, COMMAND, VARIABLES)
    blocks = re.findall(
        r"^Register-ScheduledTask -Force -TaskName '([^']+)' -Xml @'\n(.*?)\n'@$", text, re.M | re.S
    )
    assert len(blocks) == len(made.tasks)
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    found = []
    for name, xml in blocks:
        assert re.fullmatch(r"pgdr [a-z0-9-]+", name) and not re.search(r"^'@", xml, re.M)
        root = ElementTree.fromstring(xml)
        assert root.findtext(".//t:Command", None, space) == "wsl.exe"
        start = root.findtext(".//t:StartBoundary", "", space)
        assert re.fullmatch(r"2026-01-01T\d\d:\d\d:00Z", start)
        argv = windows_argv(root.findtext(".//t:Arguments", "", space))
        assert argv[0] == "--exec"
        found.append(argv[1:])
    assert found == wanted(made)
    assert "<Interval>PT6H</Interval>" in text and "<DaysInterval>1</DaysInterval>" in text


def pgdr(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tui", "--config", str(fleet.source), "schedule", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_verb_prints_writes_and_tells(hostile: Fleet, tmp_path: Path) -> None:
    done = pgdr(hostile)
    assert done.returncode == 0 and "crontab -e" in done.stdout
    line = next(line for line in done.stdout.splitlines() if "quo" in line and not line.startswith("#"))
    argv = printed(line.split(" ", 5)[5].replace("\\%", "%"))
    assert argv[-1] == 'quo"ted' and Path(argv[argv.index("--config") + 1]) == hostile.source
    # What was printed is a command line that the program takes: it fails for want of a server, not of usage
    environment = {**os.environ, "SHOP_PASSWORD": "x", "PGHOST": str(tmp_path), "HOOK": "http://127.0.0.1:9"}
    argv = [*argv[:-1], "--json", argv[-1]]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert (
        done.returncode == 5
        and "ops was not told" in done.stderr
        and json.loads(done.stdout)[0]["database"] == 'quo"ted'
    ), done.stderr
    out = tmp_path / "out"
    assert pgdr(hostile, "--out", str(out)).returncode == 2
    out.mkdir()
    assert pgdr(hostile, "--format", "systemd,kubernetes,windows", "--out", str(out)).returncode == 0
    assert {p.suffix for p in out.iterdir()} == {".service", ".timer", ".yaml", ".ps1"}
    assert pgdr(hostile, "--format", "upstart").returncode == 2
    document = json.loads(pgdr(hostile, "--format", "cron", "--json").stdout)
    assert len(document["tasks"]) == len(HOSTILE) + 4 and document["files"][0]["name"] == "pgdr.crontab"
    assert all({"cron", "calendar", "command", "every_s"} <= task.keys() for task in document["tasks"])


def test_secrets_in_files_are_told_to_kubernetes(hostile: Fleet, tmp_path: Path) -> None:
    passfile = replace(hostile.databases[0].endpoint, password=None, passfile=tmp_path / "pgpass")
    database = replace(hostile.databases[0], endpoint=passfile)
    key = Encryption(age_identity=Secret(file=tmp_path / "age.key"))
    fleet = replace(hostile, databases=(database,), encryption=key)
    (tmp_path / "pgdr.toml").write_text(text_of(fleet))
    done = pgdr(replace(fleet, source=tmp_path / "pgdr.toml"), "--format", "kubernetes")
    assert (
        f"Mount these as files too, or name variables in their place: {tmp_path / 'age.key'}, " in done.stdout
    )
    assert variables_of(fleet) == ("HOOK",) and list(yaml.safe_load_all(done.stdout))


def test_slugs_tell_names_apart() -> None:
    names = [*HOSTILE, "a b", "a-b", "A-B", "x" * 40, "x" * 41, "shop"]
    assert len({slug(name) for name in names}) == len(names) and slug("shop") == "shop"
    assert schedule(Fleet("f", databases=(Database("d", "d", "d"),))).tasks == ()
