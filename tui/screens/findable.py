"""What ctrl+p knows at once: the commands that work here, those that work from everywhere, the databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.model.keys import all_keys
from tui.model.text import clean
from tui.screens import go
from tui.screens.find import Found, Paths
from tui.widgets.keys import key_name, useful

if TYPE_CHECKING:
    from tui.screens.ways import Ways


def findable(app: Ways) -> list[Found]:
    """Given the app, returns its commands and databases, those of the screen that is on it first."""
    return [*_here(app), *_everywhere(app), *_databases(app)]


def paths(app: Ways) -> Paths:
    """Given the app, returns the ways to what is found by reading."""
    return Paths(
        backup=lambda backup: app.on_open_backup(go.OpenBackup(backup)),
        incident=lambda incident: app.on_take_up(go.TakeUp(incident)),
        job=lambda job: app.on_attach(go.Attach(job)),
    )


def _here(app: Ways) -> Iterator[Found]:
    known = dict(all_keys())
    told = {"find"}
    for active in useful(app.screen):
        binding = active.binding
        moves = (binding.id or "").startswith(("rows.", "text.")) and not binding.show
        action = binding.action.removeprefix("app.")  # the app's own may have a key on the screen, too
        if moves or action in told:
            continue
        told.add(action)
        key = known.get(binding.id or "")
        do = partial(app.run_action, binding.action, active.node)
        words = key.help if key is not None else ""
        yield Found("command", binding.description, f"key {key_name(binding)}", do, words)


def _everywhere(app: Ways) -> Iterator[Found]:
    def way(what: str, words: str, do: Callable[[], object]) -> Found:
        return Found("command", what, "", do, words)

    yield way("fleet", "all databases", app.to_fleet)
    yield way("backups of all databases", "stores", lambda: app.on_backups_of(go.BackupsOf(None)))
    yield way("retention", "prune, what would be removed, old backups", app.on_retention)
    yield way("jobs", "what is running or has run", app.on_jobs)
    yield way("incidents", "recoveries", app.on_incidents)
    yield way("drills", "what is due, rehearsals", lambda: app.post_message(go.Drills()))
    yield way("troubles", "errors, what helps", partial(app.run_action, "app.troubles"))
    for theme in app.theme_names:
        yield way(f"theme {clean(theme)}", "colours", partial(app.wear, theme))
    yield way("mouse off", "leave it to the terminal, select with it", partial(app.set_mouse, False))
    yield way("mouse on", "click with it", partial(app.set_mouse, True))


def _databases(app: Ways) -> Iterator[Found]:
    writing = not app.read_only
    for database in app.fleet.databases:
        name, place = clean(database.name), clean(database.service)
        words = clean(f"{database.dbname} {database.purpose}")
        yield Found("database", name, place, partial(app.to_fleet, database.name), words)

        def does(what: str, message: Callable[[str], object], own: str = database.name) -> Found:
            return Found("database", f"{clean(own)}: {what}", "", partial(message, own))

        yield does("backups", lambda own: app.on_backups_of(go.BackupsOf(own)))
        yield does("kept databases", lambda own: app.on_kept(go.Kept(own)))
        if writing:
            yield does("recover", lambda own: app.on_recover(go.Recover(own)))
            yield does("back up now", lambda own: app.on_back_up(go.BackUp(own)))
            yield does("drill", lambda own: app.post_message(go.Drill(own)))
