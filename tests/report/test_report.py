"""A report says what a review asks for, in every scenario, whatever names and messages hold."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.recovery_screens.pictures import BAD_ROW, HALFWAY, ROLE_MISSING
from tests.report.stories import (
    AT,
    BEFORE,
    FLEET,
    JOB,
    REF,
    TARGET,
    drilled,
    entry,
    handed,
    merged,
    minutes,
    restarted,
    story,
)
from tui.incident.report import as_json, markdown
from tui.incident.report_sections import errors, redacted
from tui.model.fleet import Fleet
from tui.model.incident import Incident, Sent, Step, StepStatus
from tui.model.paused import FreezeHow, FrozenDatabase, Paused, PausedService, PauseState
from tui.model.scenario import Scenario
from tui.model.verdict import Check

HOSTILE = "</td> | `x` \n# Owned\n- [ ] _a_ **b** [c](javascript:d) <script>e</script> \x1b[2J\u202e ```"
HEADINGS = [
    "Incident 7: crypto_exchange",
    "Summary",
    "At a glance",
    "Impact",
    "Data lost",
    "Steps",
    "What was run",
    "Checks of the restored database",
    "What pg_restore complained of",
    "How it was put into use",
    "Who was told",
    "Timeline",
    "Follow-ups",
]


def report(incident: Incident, held: Paused | None = None, fleet: Fleet = FLEET) -> str:
    return markdown(incident, fleet, JOB if incident.job else None, held)


def section(text: str, title: str) -> str:
    """One section, without its heading."""
    return re.split(rf"^## {title}$", text, flags=re.MULTILINE)[1].split("\n## ")[0].strip()


def test_the_summary_says_what_happened_how_long_it_took_and_what_it_cost() -> None:
    said = section(report(story(Scenario.DATABASE_CORRUPTION)), "Summary")
    assert said.startswith(
        "On 2026-11-21 03:14 UTC anna@db1 declared an incident for the database crypto_exchange "
        "(critical, prod) of KrystalineX. It was taken for: full database corruption (It is what the "
        "assessment found). The database was restored with 42,000,000 rows from the backup "
        f"{REF} of 2026-11-21 01:02 UTC. The restored database took the live one's place at "
        "2026-11-21 03:36 UTC, 22 minutes after the declaration (RTO 30m: held)."
    )
    assert "At most 2 hours and 12 minutes of data was lost (RPO 6h: held)." in said
    assert said.endswith("2 of 2 checks of the restored data passed.")


def test_the_sections_have_the_facts() -> None:
    text = report(story(Scenario.DATABASE_CORRUPTION))
    assert "crypto_exchange does not exist." in section(text, "Impact")
    assert "Not fully usable from 2026-11-21 03:04 UTC until 2026-11-21 03:36 UTC: 32 minutes." in text
    assert "| public.trades | 500 | 620 |" in section(text, "Impact")
    assert "newer than the last manifest: public.trades 120." in section(text, "Data lost")
    assert BEFORE in section(text, "Data lost")
    assert "| restore | done | 03:18:00 | 03:32:00 | 14m 00s | done |" in section(text, "Steps")
    assert "docker compose stop server" in section(text, "What was run")
    assert "Service server is paused." in section(text, "Services and writes held back")
    assert '| `4711 ACL TABLE wallets` | role "reporting" does not exist | no |' in text
    assert f"`{TARGET}` took the place of `crypto_exchange`" in section(text, "How it was put into use")
    told = section(text, "Who was told")
    assert "| status | 🔴 DR INITIATED: KrystalineX | FAILED: No answer in 10 s. |" in told
    assert "Took over from anna@db1." in section(text, "Hand-overs")
    assert "| 2026-11-21T03:36:00Z | bob@db2 | confirmation | Swap of crypto_exchange confirmed. |" in (
        section(text, "Timeline")
    )
    assert "- Outcome: recovered" in text and "| restore | done |" in text


def test_what_is_left_to_be_done_follows_from_what_happened() -> None:
    incident = story(Scenario.BAD_MIGRATION)
    skipped = tuple(
        replace(r, status=StepStatus.SKIPPED, note="the duty manager said so") if r.step is Step.VERIFY else r
        for r in incident.steps
    )
    checks = (
        Check("No negative balances", False, "0", "3", "Look at wallets."),
        Check("login", None, "", "no password"),
    )
    incident = replace(incident, steps=skipped, checks=checks, backup_at=minutes(-60 * 9), swap=replace(
        incident.swap, at=minutes(50)  # type: ignore[type-var]
    ))  # fmt: skip
    held = Paused(
        (
            PausedService(
                "server", "compose", "crypto_exchange", PauseState.PAUSED, AT, "anna", "incident 7", "7"
            ),
        ),
        (
            FrozenDatabase(
                "crypto_exchange",
                "crypto_exchange",
                5,
                "7",
                FreezeHow.READ_ONLY,
                PauseState.PAUSED,
                AT,
                "anna",
                "x",
            ),
        ),
    )
    assert section(report(incident), "Summary").endswith(
        "0 of 2 checks of the restored data passed. What had not passed was gone past, for this reason: "
        "the duty manager said so."
    )
    todo = section(report(incident, held), "Follow-ups")
    for said in (
        "Writes to crypto_exchange are still frozen (read-only)",
        "Service server is still paused since 2026-11-21 03:14 UTC",
        "although its checks had not passed: the duty manager said so.",
        "Check “No negative balances” failed: expected 0, found 3. Look at wallets.",
        "Check “login” could not be asked (no password)",
        f"pgdr drop crypto_exchange {BEFORE} --confirm {BEFORE}",
        'CREATE ROLE "reporting"',
        "took 20 minutes longer than the RTO allows. The longest step was restore (14m 00s).",
        "The backup was 3 hours older than the RPO allows",
        "Channel status did not take messages: No answer in 10 s. Try it: pgdr notify --test status.",
        "rehearse it on staging",
        "Find the cause",
    ):
        assert said in todo, said
    assert all(line.startswith("- [ ] ") for line in todo.splitlines())
    assert "have not been told that it is over" not in todo
    untold = replace(incident, sent=incident.sent[:1])
    assert "have not been told that it is over" in section(report(untold), "Follow-ups")


def test_a_merge_tells_its_rows_and_loses_nothing_else() -> None:
    text = report(merged())
    assert "What was missing was put back into the live tables at 2026-11-21 03:28 UTC" in text
    assert "1,005 rows of 1 table were put back as they were at 2026-11-21 01:02 UTC" in section(
        text, "Data lost"
    )
    assert "| public.wallets | 10 | 1,010 | 1,000 | 5 | 2 |" in section(text, "How it was put into use")
    assert "| public.wallets | 1,000 | 3 | 5 |" in section(text, "What differs")
    assert f"drop the restored database {TARGET}" in section(text, "Follow-ups")
    assert "(RTO 15m: held)" in text  # the scenario's own


def test_a_fresh_server_is_told_without_a_password() -> None:
    text = report(handed())
    assert "was given `postgresql://exchange@10.0.0.9:5432/crypto_exchange`" in text
    # Nothing was written once the server was lost: the loss ends with the damage, not with the declaration.
    assert "between 2026-11-21 01:02 UTC (the backup) and 2026-11-21 03:04 UTC, 2 hours and 2 minutes" in text
    assert "lost server does not come back" in section(text, "Follow-ups")


def test_a_restart_restored_and_lost_nothing() -> None:
    text = report(restarted())
    assert "It was back by itself" in text and "No data was lost." in section(text, "Summary")
    assert section(text, "Data lost") == "- None."
    assert "pgdr drop" not in text and "None were run." in text


def test_a_drill_is_called_one_throughout() -> None:
    text = report(drilled())
    assert text.startswith("# Drill 7: crypto_exchange\n\n**DRILL: a rehearsal. Nothing live was touched.**")
    assert "declared a drill for" in text and "In earnest at most 2 hours and 12 minutes" in text
    assert "DRILL: not sent" in section(text, "Who was told")
    assert (
        section(text, "Follow-ups")
        == "- [ ] Found in the drill: The role reporting is missing on a fresh server."
    )
    assert "unusable" not in text and "Not fully usable" not in text


def test_one_that_was_stood_down_or_is_open_says_so() -> None:
    down = story(None, swap=None, verdict=None, checks=(), job=None, outcome="stood down", health=None)
    text = report(down)
    assert "It ended as “stood down” at 2026-11-21 03:38 UTC; no recovered data was put into use." in text
    assert "was picked; nothing was restored." in text and "None were run." in text
    still = replace(down, closed_at=None, outcome=None)
    assert "It is still open" in report(still) and "still open" in section(report(still), "At a glance")


@pytest.mark.parametrize("scenario", [None, *Scenario])
def test_text_from_outside_breaks_nothing(scenario: Scenario | None) -> None:
    incident = story(scenario)
    incident = replace(
        incident,
        operator=HOSTILE,
        ref=f"local:{HOSTILE}",
        health=HOSTILE,
        scenario_why=HOSTILE,
        damaged_how=HOSTILE,
        steps=tuple(replace(r, note=HOSTILE) for r in incident.steps),
        findings=tuple(replace(f, what=HOSTILE) for f in incident.findings),
        checks=(Check(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE),),
        sent=(Sent(AT, HOSTILE, HOSTILE, HOSTILE),),
        timeline=tuple(
            entry(n, kind, HOSTILE, HOSTILE) for n, kind in enumerate(("command", "fact", "error"))
        ),
        swap=replace(incident.swap, kept_as=HOSTILE) if incident.swap else None,
        outcome=HOSTILE,
    )
    hostile = Fleet(HOSTILE, databases=(replace(FLEET.databases[0], environment=HOSTILE),))
    text = report(incident, fleet=hostile)
    assert "\x1b" not in text and "\u202e" not in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inside = [inner for token in tokens for inner in (token.children or ())]
    kinds = {token.type for token in (*tokens, *inside)}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "em_open", "blockquote_open"}
    assert [after.content for token, after in pairwise(tokens) if token.type == "heading_open"] == HEADINGS
    assert [token.content for token in inside if token.type == "text" and "<script>" in token.content]
    rows = [after for token, after in pairwise(tokens) if token.type == "tr_open"]
    assert len(rows) > 12


def test_json_has_the_incident_its_times_and_the_sentences(tmp_path: Path) -> None:
    document = as_json(tmp_path, story(Scenario.DATABASE_CORRUPTION), FLEET)
    assert (document["rto_s"], document["rto_target_s"], document["rpo_target_s"]) == (
        1320.0,
        1800.0,
        21600.0,
    )
    assert document["rpo_s"] == pytest.approx(7910.0) and document["unavailable_s"] == 1920.0
    assert document["back_at"] == "2026-11-21T03:36:00Z" and document["errors"] == []
    assert document["data_lost"]["until"] == "2026-11-21T03:14:00Z"
    assert document["commands"][0]["command"] == "docker compose stop server"
    assert document["id"] == "7" and document["timeline"] and document["summary"] and document["follow_ups"]
    nothing = as_json(tmp_path, replace(restarted(), scenario=None, closed_at=None, outcome=None), FLEET)
    assert nothing["rto_s"] is None and nothing["data_lost"]["after"] is None


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("x --password='a b' y", "x --password=*** y"),
        ("psql postgresql://u:hunter2@h/db", "psql postgresql://u:***@h/db"),
        ("curl -H 'Authorization: Bearer x' token=abc", "curl -H 'Authorization: Bearer x' token=***"),
        ("createdb -h 127.0.0.1 shop", "createdb -h 127.0.0.1 shop"),
    ],
)
def test_commands_lose_what_looks_like_a_secret(command: str, shown: str) -> None:
    assert redacted(command) == shown


def test_of_thousands_of_errors_those_that_matter_are_told_and_the_others_counted() -> None:
    many = replace(HALFWAY, errors=(*[ROLE_MISSING] * 5000, BAD_ROW))
    told = errors(many)
    assert "duplicate key" in told[2] and "YES" in told[2]  # the only one that matters, and the last to come
    assert told[-3:] == ["4,701 more:", "", '- 4,701 × role "reporting" missing']
    assert len(told) < 320
