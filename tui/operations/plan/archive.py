"""What a restore's plan finds out about the backup: is it whole, and has the server all that it needs."""

from __future__ import annotations

import re
from collections.abc import Collection

from tui.model.amounts import plural
from tui.model.backup import ArchiveFormat, Backup, Contents, Manifest, TocEntry
from tui.model.facts import ServerFacts
from tui.model.fleet import Database
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.operations.plan.server import some
from tui.postgres.catalog.properties import left_out, told_by_archive
from tui.postgres.facts.locales import ICU, LIBC, PROVIDED_SINCE, DatabaseLocale
from tui.postgres.facts.restore import RestoreFacts

# Extensions whose library a server must have loaded at its start.
_PRELOADED = frozenset({"citus", "pg_cron", "pg_partman_bgw", "pgaudit", "pglogical", "timescaledb"})

_LOCKED = frozenset({"TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "SEQUENCE", "INDEX", "CONSTRAINT"})
_TOLD = 6  # statements that a mend still names
_NEARLY = 0.8  # of all locks: others need some too


def about_backup(
    backup: Backup, contents: Contents, manifest: Manifest | None, database: Database
) -> list[Finding]:
    """Given a backup, its contents and manifest and the database that it is to restore, returns what is to be
    known of the backup itself."""
    return [
        _kind(contents, manifest),
        _verified(backup),
        *_other_database(contents, manifest, database),
        *_left_out(manifest),
        *_not_restored(contents, manifest),
    ]


def about_needs(
    facts: ServerFacts,
    more: RestoreFacts,
    entries: Collection[TocEntry],
    manifest: Manifest | None,
    locale: DatabaseLocale,
) -> list[Finding]:
    """Given the server and the entries that will be restored, returns whether it has what they need:
    tablespaces, extensions, encoding and locale, locks, settings."""
    return [
        _tablespaces(facts, entries),
        *_extensions(facts, more, entries, manifest),
        _locale(facts, more, locale),
        _locks(facts, more, entries),
    ]


def extensions_of(entries: Collection[TocEntry]) -> tuple[str, ...]:
    """Given entries, returns the extensions that they create."""
    return tuple(sorted({e.name for e in entries if e.desc == "EXTENSION"} - {"plpgsql"}))


def _left_out(manifest: Manifest | None) -> list[Finding]:
    """A setting of a freeze that the backup was taken in."""
    settings = left_out(manifest.settings) if manifest else ()
    return [
        Finding(
            Level.WARNING,
            "settings",
            f"The database was set to {clean(setting)} when it was backed up, as a freeze does: the restored"
            " one will not be.",
            "If it is meant to be read-only for good, set it after the restore: ALTER DATABASE … SET …",
        )
        for setting in settings
    ]


def _not_restored(contents: Contents, manifest: Manifest | None) -> list[Finding]:
    """The settings and rights of the database itself, which pgdr takes from the manifest."""
    statements = told_by_archive(contents) if manifest is None else ()
    if not statements:
        return []
    shown = " ".join(clean(statement, 200) for statement in statements[:_TOLD])
    more = len(statements) - _TOLD
    rest = (
        f" And {more} more: pg_restore --create --schema-only --file=- ARCHIVE shows them."
        if more > 0
        else ""
    )
    return [
        Finding(
            Level.WARNING,
            "settings",
            "Settings and rights of the database itself are in the archive, and without a manifest they are"
            " not restored.",
            f"Once it is restored, carry them out with the name that it has then: {shown}{rest}",
        )
    ]


def _kind(contents: Contents, manifest: Manifest | None) -> Finding:
    tables = sum(e.desc == "TABLE" for e in contents.entries)
    data = sum(e.desc == "TABLE DATA" for e in contents.entries)
    rows = f" with {plural(manifest.rows, 'row')}" if manifest else ""
    if contents.is_partial:
        known = f", {plural(len(manifest.tables), 'table')}{rows}" if manifest else ""
        return Finding(Level.OK, "archive", f"{contents.format.value.capitalize()} format{known}.")
    if contents.format is ArchiveFormat.PLAIN and not contents.entries:
        return Finding(Level.OK, "archive", "Plain format, without pg_dump's names for what is in it.")
    if not tables and data:
        by = "psql" if contents.format is ArchiveFormat.PLAIN else "pg_restore --data-only"
        return Finding(
            Level.STOP,
            "archive",
            f"It holds the rows of {plural(data, 'table')} but not the tables: a fresh database has none.",
            f"Pick a full backup; this one is for {by} into tables that are there.",
        )
    said = f"{contents.format.value.capitalize()} format, {plural(tables, 'table')}{rows}"
    if tables and not data:
        return Finding(Level.WARNING, "archive", f"{said}, no data.", "Pick a full backup for the rows.")
    if manifest and manifest.selection == "tables":
        return Finding(Level.WARNING, "archive", f"{said}: a selection.", "Pick a full backup for all of it.")
    return Finding(
        Level.OK, "archive", f"{said}{'' if manifest else '; it has no manifest to compare with'}."
    )


def _verified(backup: Backup) -> Finding:
    known = backup.verification
    ref = clean(backup.ref)
    if known is None:
        return Finding(Level.OK, "verified", f"It was never restored for a test (pgdr verify {ref}).")
    said = f"It was restored for a test at {known.at:%Y-%m-%d %H:%M} UTC: {known.verdict.value}."
    if known.verdict.value == "failed":
        return Finding(
            Level.WARNING, "verified", said, "Pick a backup whose test ended well, if there is one."
        )
    return Finding(Level.OK, "verified", said)


def _other_database(contents: Contents, manifest: Manifest | None, database: Database) -> list[Finding]:
    of = manifest.database if manifest else contents.database
    if of is None or of == database.dbname:
        return []
    return [
        Finding(
            Level.WARNING,
            "database",
            f"The backup is of {clean(of)}, not of {clean(database.dbname)}.",
            "Make sure that it is the one you want.",
        )
    ]


def _tablespaces(facts: ServerFacts, entries: Collection[TocEntry]) -> Finding:
    spaces = sorted({e.tablespace for e in entries if e.tablespace} - set(facts.tablespaces))
    if not spaces:
        return Finding(Level.OK, "tablespaces", "All tablespaces that it names are there.")
    create = "; ".join(f"CREATE TABLESPACE {_quoted(s)} LOCATION '/an/empty/directory'" for s in spaces[:3])
    return Finding(
        Level.WARNING,
        "tablespaces",
        f"Tablespaces missing: {some(spaces)}. Their tables go to the default one.",
        f"If they are to lie apart, first: {create}",
    )


def _extensions(
    facts: ServerFacts, more: RestoreFacts, entries: Collection[TocEntry], manifest: Manifest | None
) -> list[Finding]:
    wanted = extensions_of(entries)
    if not wanted:
        return []
    absent = [name for name in wanted if name not in facts.extensions]
    if absent:
        server = facts.version_num // 10000
        return [
            Finding(
                Level.STOP,
                "extensions",
                f"Extensions not available on the server: {some(absent)}.",
                f"Install their packages for PostgreSQL {server} on the server's machine"
                f" (Debian: apt-get install postgresql-{server}-NAME); see pg_available_extensions.",
            )
        ]
    findings = []
    versions = manifest.extensions if manifest else {}
    older = [
        f"{name} {facts.extensions[name]}, was {versions[name]}"
        for name in wanted
        if name in versions and _older(facts.extensions[name], versions[name])
    ]
    if older:
        findings.append(
            Finding(
                Level.WARNING,
                "extensions",
                f"Extensions older than in the backup: {some(older)}.",
                "Install the backup's version on the server's machine; what is new in it fails otherwise.",
            )
        )
    if more.superusers_only:
        findings.append(
            Finding(
                Level.WARNING,
                "extensions",
                f"Only a superuser may create {some(more.superusers_only)}.",
                "Restore as one: set the database's user in the configuration.",
            )
        )
    unloaded = [
        n for n in wanted if n in _PRELOADED and more.preloaded is not None and n not in more.preloaded
    ]
    if unloaded:
        libraries = ",".join([*(p for p in more.preloaded or () if p), *unloaded])
        findings.append(
            Finding(
                Level.WARNING,
                "settings",
                f"{some(unloaded)} must be loaded at the server's start. pgdr changes no setting that needs a"
                " restart.",
                f"ALTER SYSTEM SET shared_preload_libraries = '{clean(libraries)}', then restart the server.",
            )
        )
    return findings or [
        Finding(Level.OK, "extensions", f"{plural(len(wanted), 'extension')} available: {some(wanted)}.")
    ]


def _older(found: str, wanted: str) -> bool:
    """Whether one version comes before another; False where one of them isn't made of numbers."""
    parts = [
        [int(n) for n in v.split(".")] if re.fullmatch(r"\d+(\.\d+)*", v) else None for v in (found, wanted)
    ]
    return parts[0] is not None and parts[1] is not None and parts[0] < parts[1]


def _locale(facts: ServerFacts, more: RestoreFacts, locale: DatabaseLocale) -> Finding:
    said = ", ".join(clean(part) for part in _words(locale))
    if not more.knows_encoding:
        return Finding(
            Level.STOP,
            "locale",
            f"The server doesn't know the encoding {clean(locale.encoding or '')}.",
            "Restore onto a server of the version that the backup was made on.",
        )
    since = PROVIDED_SINCE.get(locale.provider, 1 << 16)
    if facts.version_num // 10000 < since or (locale.provider == ICU and not more.has_icu):
        return Finding(
            Level.STOP,
            "locale",
            f"The backup's database is sorted by {clean(locale.provider)}, which this server doesn't have.",
            f"Restore onto PostgreSQL {since} or newer"
            + (" that was built with ICU." if locale.provider == ICU else "."),
        )
    if more.unknown_locales:
        first = more.unknown_locales[0]
        language, _, charset = first.partition(".")
        return Finding(
            Level.STOP,
            "locale",
            f"The server's machine lacks the locale {some(more.unknown_locales)} of the backup's database.",
            f"On the server's machine: localedef -i {clean(language)} -f {clean(charset or 'UTF-8')}"
            f" {clean(first)} (Debian: dpkg-reconfigure locales), then restart PostgreSQL.",
        )
    return Finding(Level.OK, "locale", f"{said}: the server has it." if said else "As the server's own.")


def _words(locale: DatabaseLocale) -> list[str]:
    same = locale.collate == locale.ctype
    names = (locale.encoding, locale.collate, None if same else locale.ctype)
    provided = None if locale.provider == LIBC else f"{locale.provider} {locale.locale or ''}".strip()
    return [name for name in (*names, provided) if name]


def _locks(facts: ServerFacts, more: RestoreFacts, entries: Collection[TocEntry]) -> Finding:
    """pg_restore does each entry in a transaction of its own. pg_dump, which will have to dump what was
    restored, locks all tables at once; a restore in a single transaction would lock everything."""
    tables = sum(e.desc in ("TABLE", "FOREIGN TABLE") for e in entries)
    objects = sum(e.desc in _LOCKED for e in entries)
    room = f"the server has room for {plural(facts.max_locks, 'lock')}"
    if tables <= facts.max_locks * _NEARLY:
        single = (
            "" if objects <= facts.max_locks * _NEARLY else " (not for a restore in a single transaction)"
        )
        return Finding(Level.OK, "locks", f"{plural(objects, 'object')}; {room}{single}.")
    needed = -(-more.locks_per_transaction * tables * 3 // (2 * max(1, facts.max_locks)))
    return Finding(
        Level.WARNING,
        "locks",
        f"{plural(tables, 'table')}; {room}. This restore needs few at a time, but pg_dump of the database"
        " needs all at once. pgdr changes no setting that needs a restart.",
        f"Before the next backup: ALTER SYSTEM SET max_locks_per_transaction = {needed}, then restart.",
    )


def _quoted(name: str) -> str:
    return '"' + clean(name).replace('"', '""') + '"'
