"""Every key of the app, one table for each screen or widget that has keys. The screens bind what is here, `?`
tells it, a configuration may change it ([keys]), and read-only mode takes the dangerous ones away.

None is on ctrl+a, ctrl+b, ctrl+j, ctrl+o or ctrl+s: tmux, screen and terminals take those for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui.model.key import Key

_BACK = Key("back", "escape,q", "back", "Goes back to the screen before.", action="app.pop_screen")
_FILTER = Key("filter", "slash", "filter", "Shows only rows in which every word that you type occurs.")

STEPS = ("assess", "pick", "notify", "restore", "verify", "resume")

KEYS: Mapping[str, tuple[Key, ...]] = {
    "app": (
        Key("help", "question_mark,f1", "keys", "Shows what works here, and what this screen is for."),
        Key(
            "find",
            "ctrl+p",
            "find",
            "Finds any command, database, backup, incident or job.",
            shown=False,
        ),
        Key("copy", "y", "copy", "Copies what is at hand, also into a file.", shown=False),
        Key(
            "troubles", "exclamation_mark", "trouble?",
            "Searches what is known of errors, with the text of the one that is on the screen.", shown=False,
        ),
        Key(
            "export",
            "ctrl+e",
            "export",
            "Writes this screen as text and as a picture (SVG) into the state directory.",
            shown=False,
        ),
        Key("tour", "f2", "tour", "Begins the demo's tour, or leaves it for a while.", True, shown=False),
        Key("redraw", "ctrl+l", "redraw", "Draws the screen anew: something wrote over it.", shown=False),
        Key(
            "suspend", "ctrl+z", "suspend", "Gives the shell back; fg there goes on.", shown=False,
            action="suspend_process",
        ),
        Key(
            "quit",
            "ctrl+q",
            "quit",
            "Ends the app; asks first while jobs run.",
            shown=False,
            everywhere=True,
        ),
    ),
    "rows": (
        Key("up", "up,k", "up", "The row above.", shown=False, action="move(-1)"),
        Key("down", "down,j", "down", "The row below.", shown=False, action="move(1)"),
        Key("page_up", "pageup", "a page up", shown=False, action="page(-1)"),
        Key("page_down", "pagedown,space", "a page down", shown=False, action="page(1)"),
        Key("first", "home,g", "first", "The first row.", shown=False, action="edge(-1)"),
        Key("last", "end,G", "last", "The last row.", shown=False, action="edge(1)"),
        Key("order", "o", "order", "Orders by the next column; after the last, as it was.", shown=False),
        Key("turn", "O", "other way", "Orders the other way round.", shown=False),
        Key("choose", "enter", "open", "Opens the row under the cursor."),
    ),
    "marks": (
        Key("mark", "space", "mark", "Marks the row, or takes its mark away, and goes on to the next."),
        Key("mark_all", "a", "mark all", "Marks all rows that are seen; none when all are.", shown=False),
    ),
    "text": (
        Key("up", "up,k", "up", "A line up.", shown=False, action="scroll_up"),
        Key("down", "down,j", "down", "A line down.", shown=False, action="scroll_down"),
        Key("page_up", "pageup", "a page up", shown=False),
        Key("page_down", "pagedown,space", "a page down", shown=False),
        Key("first", "home,g", "top", "The first line.", shown=False, action="scroll_home"),
        Key("last", "end,G", "end", "The last line.", shown=False, action="scroll_end"),
    ),
    "filter": (
        Key("clear", "escape", "no filter", "Shows all rows again.", action="leave(True)"),
        Key("done", "enter,down", "to the rows", "Keeps it; goes to the rows.", action="leave(False)"),
    ),
    "choice": (Key("press", "enter", "choose", "Chooses what has the focus.", shown=False),),
    "first_run": (
        Key("add", "n", "add…", "Adds a server, a bucket or a directory that you name."),
        Key("demo", "d", "demo…", "Starts the demo instead: a sample fleet to be hurt and recovered."),
        Key("refresh", "R", "look again", "Looks around anew; what is ticked stays."),
        Key("quit", "escape,q", "quit", "Ends the app; nothing is written.", action="app.quit"),
    ),
    "first_file": (
        Key("write", "w", "write it", "Writes the file, and goes on to the fleet.", dangerous=True),
        Key("place", "p", "another place", "Writes it to the other place in which it is looked for."),
        Key("check", "R", "check again", "Tries everything anew."),
        Key("copy", "y", "copy", "Copies the file's text.", shown=False),
        _BACK,
    ),
    "fleet": (
        Key("recover", "r", "recover", "Begins the guided recovery of this database.", dangerous=True),
        Key("backups", "b", "backups", "Shows the backups of this database in all stores."),
        Key(
            "verify", "v", "verify",
            "Restores the newest backup into a scratch database, checks it and drops it.",
            dangerous=True,
        ),
        Key("back_up", "B", "back up now", "Takes a backup of this database now.", True, shown=False),
        Key("drill", "d", "drill", "Rehearses its recovery in a scratch database.", dangerous=True),
        Key("drills", "D", "drills", "Shows which drills are due, and what the last ones measured."),
        Key("pause", "p", "services", "Shows what uses this database: pauses it, freezes writes."),
        Key("jobs", "J", "jobs", "Shows what is running or has run."),
        Key("incidents", "i", "incidents", "Shows the recoveries, open and closed."),
        _FILTER,
        Key("refresh", "R", "look again", "Asks every server and store anew."),
        Key("quit", "q", "quit", "Ends the app; asks first while jobs run.", action="app.quit"),
    ),
    "database": (
        Key("recover", "r", "recover", "Begins the guided recovery of this database.", dangerous=True),
        Key("backups", "b", "backups", "Shows the backups of this database in all stores."),
        Key("back_up", "B", "back up now", "Takes a backup of this database now.", dangerous=True),
        Key("kept", "d", "kept databases", "Shows what restores and swaps left beside this database."),
        _FILTER,
        Key("refresh", "R", "look again", "Reads the tables anew."),
        _BACK,
    ),
    "backups": (
        Key("recover", "r", "recover with it", "Begins a recovery with this backup picked.", dangerous=True),
        Key(
            "verify", "v", "verify", "Restores it into a scratch database, checks it and drops it.",
            dangerous=True,
        ),
        Key("tables", "t", "single tables", "Restores single tables of it beside the live ones.", True),
        Key("copy_to", "c", "copy to…", "Copies the backup, with all beside it, into another store.", True),
        Key("retention", "P", "retention", "Shows what retention would remove and keep, and why."),
        Key("copy", "y", "copy name", "Copies the backup's name (STORE:KEY)."),
        _FILTER,
        Key("refresh", "R", "read again", "Reads all stores anew."),
        _BACK,
    ),
    "backup": (
        Key("recover", "r", "recover with it", "Begins a recovery with this backup picked.", dangerous=True),
        Key(
            "verify", "v", "verify", "Restores it into a scratch database, checks it and drops it.",
            dangerous=True,
        ),
        Key("tables", "t", "single tables", "Restores single tables of it beside the live ones.", True),
        Key("copy_to", "c", "copy to…", "Copies the backup, with all beside it, into another store.", True),
        Key("copy", "y", "copy name", "Copies the backup's name (STORE:KEY)."),
        _FILTER,
        _BACK,
    ),
    "retention": (
        Key("prune", "D", "delete what goes…", "Deletes what may go, once the fleet's name is typed.", True),
        Key("remove", "x", "delete this…", "Deletes this backup alone, once its name is typed.", True),
        Key("copy", "y", "copy name", "Copies the backup's name (STORE:KEY)."),
        _FILTER,
        Key("refresh", "R", "decide again", "Reads all stores anew."),
        Key("leave", "escape,q", "back", "Goes back; what is being deleted ends after the one at work."),
    ),
    "kept": (
        Key("drop", "D", "drop…", "Drops this database for good, once its name is typed.", dangerous=True),
        Key("copy", "y", "copy name", "Copies the database's name."),
        _FILTER,
        Key("refresh", "R", "look again", "Asks the server anew."),
        _BACK,
    ),
    "pause": (
        Key("pause", "p", "pause…", "Stops this service, once its name is typed.", dangerous=True),
        Key("resume", "u", "resume…", "Starts this service as it was, and asks its health.", True),
        Key("pause_all", "P", "all…", "Stops all services in order, once the name is typed.", True),
        Key("resume_all", "U", "resume all…", "Starts what was paused, in reverse order.", True),
        Key("freeze", "f", "freeze…", "Keeps writes out of the database; asks how.", dangerous=True),
        Key("thaw", "t", "thaw…", "Lets writes in again, as before.", dangerous=True),
        Key("go_past", "b", "go past…", "Leaves it as it is, with a reason, and lists it no longer.", True),
        Key("refresh", "R", "look again", "Asks all of them anew.", shown=False),
        Key("leave", "escape,q", "back", "Goes back; waits for what is being changed."),
    ),
    "jobs": (
        Key("copy", "y", "copy name", "Copies the job's name."),
        _FILTER,
        Key("refresh", "R", "look again", "Reads the jobs anew."),
        _BACK,
    ),
    "job": (
        Key("stop", "x", "stop…", "Stops the job; asks what becomes of what is unfinished.", dangerous=True),
        Key("copy", "y", "copy all", "Copies all that is known of the job."),
        Key(
            "leave", "q,escape", "leave, it goes on", "Goes back; the job goes on by itself.",
            action="app.pop_screen",
        ),
    ),
    "views": (
        Key("log", "l", "log", "The log alone; once more: the overview.", action="view('log')"),
        Key(
            "whole_log", "L", "whole log", "The whole log, from its beginning, to look something up.",
            shown=False,
        ),
        Key("errors", "e", "errors", "The errors, each with what it means.", action="view('errors')"),
        Key("tables", "t", "tables", "Every table and index.", action="view('tables')"),
        Key("checks", "c", "checks", "The checks.", shown=False, action="view('checks')"),
        Key("overview", "o", "overview", "The overview.", shown=False, action="view('overview')"),
    ),
    "log": (Key("copy", "y", "copy", "Copies the lines that the filter lets through."), _FILTER, _BACK),
    "incidents": (
        _FILTER,
        Key("refresh", "R", "look again", "Reads the incidents anew."),
        _BACK,
    ),
    "drills": (
        Key("drill", "d", "do it…", "Does what is due: a drill, or the newest backup's verification.", True),
        _FILTER,
        Key("refresh", "R", "look again", "Reads drills and stores anew."),
        _BACK,
    ),
    "drill_history": (_FILTER, _BACK),
    "troubles": (
        Key(
            "act", "a", "let pgdr do it…", "What pgdr can do about it; asks before anything is changed.",
            shown=False,
        ),
        _FILTER,
        _BACK,
    ),
    "sessions": (
        Key("end_one", "x", "end it…", "Ends this session, once the name is typed.", dangerous=True),
        Key("end_all", "X", "end all…", "Ends all that are listed, once the name is typed.", dangerous=True),
        _FILTER,
        Key("refresh", "R", "look again", "Asks the server anew."),
        _BACK,
    ),
    "read": (Key("copy", "y", "copy", "Copies the text."), _BACK),
    "error": (
        Key("close", "escape,enter,q", "back", "Goes back."),
        Key(
            "troubles", "exclamation_mark", "what helps", "Searches what is known of this error.",
            action="app.troubles",
        ),
        Key("copy", "y", "copy", "Copies all of it."),
    ),
    "question": (
        Key("cancel", "escape", "cancel", "Closes the question; nothing is done."),
        Key("before", "left,up", "before", "What stands before.", shown=False, action="app.focus_previous"),
        Key("next", "right,down", "next", "What stands after.", shown=False, action="app.focus_next"),
        Key("help", "f1", "help", "Shows what works here.", shown=False, action="app.help"),
    ),
    "choose_tables": (
        _FILTER,
        _BACK,
    ),
    "tables_job": (Key("differences", "d", "compare", "Compares the restored tables with the live ones."),),
    "differences": (
        Key("merge", "m", "merge…", "Puts back what the marked tables miss, once the name is typed.", True),
        Key("triggers", "f", "triggers on/off", "Whether triggers run while rows are put back.", True),
        Key("update", "u", "overwrite on/off", "Whether rows that differ are overwritten.", True),
        Key("compare", "R", "compare again", "Compares anew."),
        Key("drop", "x", "drop scratch…", "Drops the scratch database, once its name is typed.", True),
        Key("copy", "y", "copy", "Copies the differences."),
        Key("leave", "escape,q", "back", "Goes back."),
    ),
    "recovery": (
        Key("leave_running", "q,escape", "leave, it goes on", "Goes back; the restore goes on by itself."),
        Key("leave", "q,escape", "leave", "Goes back; the incident stays as it is."),
        Key("tell", "n", "tell people", "Tells people, with what fits this moment.", shown=False),
        Key("services", "p", "services and writes", "Pauses what uses the database.", shown=False),
        *(
            Key(step, str(number), step, f"Shows the step: {step}.", shown=False, action=f"step('{step}')")
            for number, step in enumerate(STEPS, start=1)
        ),
    ),
    "driven": (Key("take_over", "T", "take over…", "Takes the incident over from whoever drives it.", True),),
    "scenario": (Key("cancel", "escape,q", "back", "Goes back; nothing is decided."),),
    "which_tables": (Key("cancel", "escape,q", "back", "Goes back; nothing is decided."),),
    "candidates": (
        Key("choose", "enter", "pick this one", "Decides for the backup under the cursor.", dangerous=True),
    ),
    "assess": (
        Key("accept", "enter", "accept what is proposed", "Decides for the scenario that is proposed.", True),
        Key("next", "enter", "next step", "Goes on to the backups."),
        Key("scenario", "s", "scenario…", "Decides what has happened.", dangerous=True),
        Key("since", "t", "since when…", "Says since when the damage is there.", dangerous=True),
        Key("look_again", "r", "look again", "Looks at server, database and stores anew."),
    ),
    "pick": (
        Key("compare", "c", "compare", "Compares two backups: what the one has and the other hasn't."),
        Key("read_again", "r", "read the stores again", "Reads all stores anew."),
    ),
    "notify": (
        Key("send", "s", "send it", "Sends the message to every channel.", dangerous=True),
        Key("next", "enter", "next: restore", "Goes on to the restore."),
        Key("return", "enter", "back", "Goes back to the step you came from."),
        Key("send_again", "a", "again to the failed", "Sends it again where it failed.", dangerous=True),
        Key("edit", "m", "change", "Changes title and text before they are sent."),
        Key("template", "t", "what…", "Takes the words for another moment."),
        Key("preview", "v", "preview", "Shows what each channel will get."),
        Key("updates", "u", "by itself", "Whether the restore tells people by itself.", dangerous=True),
        Key("skip", "b", "go past…", "Goes on without telling anyone, with a reason.", dangerous=True),
        Key("leave_edit", "escape", "done changing", "Leaves the text as it is now."),
    ),
    "restore": (
        Key("start", "enter", "restore…", "Begins the restore, once the name is typed.", dangerous=True),
        Key("next", "enter", "next: verify", "Goes on to the checks."),
        Key("address", "a", "fresh server…", "Says where the fresh server listens.", dangerous=True),
        Key("roles", "m", "make the roles…", "Makes the roles that the server misses.", dangerous=True),
        Key("plan_again", "P", "plan again", "Makes the plan anew."),
        Key("tell", "n", "tell", "Tells people how far it is."),
        Key("stop", "x", "stop…", "Stops it; asks what becomes of what is restored so far.", dangerous=True),
        Key("copy", "y", "copy the commands", "Copies the commands, to run them by hand."),
        Key("go_on", "r", "go on", "Goes on from where it was stopped.", dangerous=True),
        Key("again", "w", "restore again", "Begins anew, into another database.", dangerous=True),
    ),
    "verify": (
        Key("next", "enter", "next: resume", "Goes on to putting it in place."),
        Key("check_again", "r", "check again", "Runs all checks anew."),
        Key("compare", "d", "compare", "Compares with the live tables, row by row."),
        Key("go_past", "b", "go past…", "Goes on although checks failed, with a reason.", dangerous=True),
    ),
    "resume": (
        Key("swap", "enter", "swap…", "Puts the restored one in the live one's place.", dangerous=True),
        Key("merge", "m", "merge…", "Puts back what the live tables miss.", dangerous=True),
        Key("compare", "d", "compare", "Compares with the live tables, row by row."),
        Key("triggers", "f", "triggers", "Whether triggers run while rows are put back.", True, shown=False),
        Key("update", "o", "overwrite", "Whether rows that differ are overwritten.", True, shown=False),
        Key("hand_over", "a", "new address…", "Gives the application its new address.", dangerous=True),
        Key("resume_services", "s", "start services", "Lets writes in, starts what was paused.", True),
        Key("report", "enter", "read the report", "Shows the report."),
        Key("health", "h", "ask the app", "Asks the application, and the smokes of the live database."),
        Key("undo", "u", "undo…", "Puts the old one back, or takes the merge back.", dangerous=True),
        Key("close", "c", "close…", "Closes the incident.", dangerous=True),
        Key("look_again", "r", "look again", "Looks anew at what is live.", shown=False),
        Key("copy", "y", "copy the report's path", "Copies where the report lies."),
        Key("copy_address", "y", "copy address", "Copies the application's new address."),
        Key("copy_commands", "y", "copy the commands", "Copies the commands, to run them by hand."),
    ),
    "help": (
        Key("close", "escape,q,question_mark,f1,enter", "back", "Goes back."),
        Key("copy", "y", "copy", "Copies the page and the keys."),
    ),
    "find": (
        Key("close", "escape,ctrl+p", "back", "Goes back; nothing is done."),
        Key("do", "enter", "go", "Does it, or goes there.", everywhere=True),
        Key("up", "up", "up", "The one above.", shown=False, action="move(-1)"),
        Key("down", "down", "down", "The one below.", shown=False, action="move(1)"),
        Key("page_up", "pageup", "a page up", shown=False, action="page(-1)"),
        Key("page_down", "pagedown", "a page down", shown=False, action="page(1)"),
        Key("help", "f1", "help", "Shows what works here.", shown=False, action="app.help"),
    ),
    "small": (Key("quit", "ctrl+q", "quit", "Ends the app.", action="app.quit"),),
}  # fmt: skip


# What can have the keyboard at the same time: within a line no key may stand for two things.
TOGETHER: tuple[tuple[str, ...], ...] = (
    *(("recovery", "driven", step, "text", "app") for step in ("assess", "notify", "verify", "resume")),
    ("recovery", "driven", "pick", "candidates", "text", "app"),
    ("scenario", "rows", "text"),
    ("which_tables", "rows", "marks"),
    ("recovery", "driven", "restore", "views", "text", "app"),
    *(
        (screen, "rows", "app")
        for screen in ("fleet", "database", "backups", "backup", "retention", "kept", "jobs", "log")
    ),
    ("incidents", "rows", "app"),
    ("pause", "rows", "app"),
    *((screen, "rows", "app") for screen in ("drills", "drill_history", "sessions")),
    ("troubles", "rows", "app"),
    ("choose_tables", "rows", "marks", "app"),
    ("first_run", "rows", "marks", "app"),
    ("first_file", "text", "app"),
    ("differences", "rows", "marks", "app"),
    ("tables_job", "job", "views", "text", "app"),
    ("read", "text", "app"),
    ("error",),
    ("question", "choice"),
    ("help", "text"),
    ("find",),
    ("filter",),
)


def all_keys() -> Iterator[tuple[str, Key]]:
    """Returns the id and the key of all there are."""
    for scope, keys in KEYS.items():
        for key in keys:
            yield f"{scope}.{key.name}", key


DANGEROUS = frozenset(name for name, key in all_keys() if key.dangerous)
