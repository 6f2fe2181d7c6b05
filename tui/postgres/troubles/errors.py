"""Judges the errors of a restore: what each one means, what to do, and whether the result can be used."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from tui.model.backup import TocEntry, Verdict
from tui.model.text import clean, clean_lines
from tui.model.verdict import ErrorClass, RestoreError
from tui.postgres.troubles.knowledge import RULES, Rule

_LONGEST_MESSAGE = 4000
_COMMAND = re.compile(r"^Command was: ?(.*)", re.MULTILINE | re.DOTALL)
_STATEMENT_END = re.compile(r";\s*(?:\n|$)")
_NOT_THERE = re.compile(
    r"does not exist|is not a (?:table|view|sequence|partition)|there is no unique constraint"
)


def judge(message: str, entry: TocEntry | None = None, failed: Collection[int] = ()) -> RestoreError:
    """Given what pg_restore said (all lines of one error), the TOC entry it belongs to, and the dump
    ids that failed before it, returns the error with its class, meaning and mend.

    Harmless is only what is known to be: no rows, constraints or objects are missing because of it.
    """
    said, command = _parts(message.strip())
    first_line, _, more = said.partition("\n")
    rule, found = _rule(first_line)
    harmless = False
    if rule is None:  # a cause may stand in the details, but rows do too: they never make it harmless
        rule, found = _rule(more)
    elif rule.harmless is not None and rule.harmless.match(command):
        harmless = rule.error_class is not ErrorClass.ROLE_MISSING or _only_about(found, command)
    if rule is None or found is None:
        return _error(message, entry, *_unruled(said, entry, failed))
    name = clean(next((name for name in found.groups() if name), ""), 200)
    meaning, mend = rule.meaning.format(name), rule.mend.format(name.replace('"', '""'))
    if rule.error_class is ErrorClass.ROLE_MISSING and not harmless:
        meaning += " The command failed as a whole: what it gives to other roles is missing as well."
    return _error(message, entry, rule.error_class, harmless, meaning, mend)


def _only_about(found: re.Match[str] | None, command: str) -> bool:
    """Whether each statement of a command is about the missing role alone: pg_restore sends an entry's
    GRANTs in one query, so one missing role takes the rights of all the others with it."""
    if found is None:
        return False
    role = re.escape(found[1].replace('"', '""'))
    about = re.compile(rf'\b(TO|FROM|ROLE|AUTHORIZATION) ("{role}"|{role})(?=\s|;|$)')
    return all(about.search(part) for part in _STATEMENT_END.split(command) if part.strip())


def _unruled(said: str, entry: TocEntry | None, failed: Collection[int]) -> tuple[ErrorClass, bool, str, str]:
    if not _NOT_THERE.search(said):
        return (
            ErrorClass.UNKNOWN,
            False,
            "This program doesn't know this error, so it can't call the restore good.",
            "Read the message; if the object matters, mend its cause and restore again.",
        )
    if failed:
        before = "its own entry" if entry and entry.dump_id in failed else "something before it"
        return (
            ErrorClass.DEPENDENCY,
            False,
            f"What it needs isn't there, most likely because {before} failed.",
            "Mend the errors before this one; this one goes with them.",
        )
    return (
        ErrorClass.UNKNOWN,
        False,
        "It names something that isn't there; often in a function's body that relies on a search_path.",
        "Create it by hand here; in the original database, name it with its schema and take a new backup.",
    )


def verdict(errors: Iterable[RestoreError], exit_code: int, missing_items: int = 0) -> Verdict:
    """Given the errors of a restore, pg_restore's exit code (negative: a signal) and how many announced
    items were never finished, returns whether it can be believed.

    pg_restore exits with 1 for harmless and fatal errors alike, so 1 is only believed when errors
    were seen that explain it.
    """
    errors = tuple(errors)
    if missing_items or exit_code not in (0, 1) or not all(e.harmless for e in errors):
        return Verdict.FAILED
    if exit_code == 1 and not errors:
        return Verdict.FAILED
    return Verdict.EXPLAINED if errors else Verdict.CLEAN


def entry_name(entry: TocEntry) -> str:
    """Given an entry, returns `123 TABLE public.users`, cleaned."""
    name = f"{entry.schema}.{entry.name}" if entry.schema else entry.name
    return clean(f"{entry.dump_id} {entry.desc} {name}", 300)


def _parts(message: str) -> tuple[str, str]:
    """What was said, and the SQL command that failed: a pattern must not find words in the command."""
    found = _COMMAND.search(message)
    return (message[: found.start()], found[1]) if found else (message, "")


def _rule(said: str) -> tuple[Rule | None, re.Match[str] | None]:
    for rule in RULES:
        if found := rule.pattern.search(said):
            return rule, found
    return None, None


def _error(
    message: str, entry: TocEntry | None, error_class: ErrorClass, harmless: bool, meaning: str, mend: str
) -> RestoreError:
    text = clean_lines(message.strip())
    if len(text) > _LONGEST_MESSAGE:
        text = text[: _LONGEST_MESSAGE - 1] + "…"
    return RestoreError(
        entry=entry_name(entry) if entry else None,
        dump_id=entry.dump_id if entry else None,
        message=text,
        error_class=error_class,
        harmless=harmless,
        meaning=meaning,
        mend=mend,
    )
