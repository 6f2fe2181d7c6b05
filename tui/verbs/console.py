"""What a verb says: the answer on stdout, the narration on stderr, errors with their next step."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from tui.model import text
from tui.model.errors import ConfigError, PgdrError

# A terminal obeys what JSON lets through unescaped: C1 controls, marks of direction, half surrogates.
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def json_text(document: Any) -> str:
    """Given plain data, returns it as JSON that is safe to show and to write in any encoding of Unicode."""
    made = json.dumps(document, indent=2, ensure_ascii=False)
    return _NOT_PLAIN.sub(lambda found: _escaped(found[0]), made)


def _escaped(char: str) -> str:
    return char if text.clean(char) == char else json.dumps(char)[1:-1]


class Console:
    """The two streams of a verb. With `json_wanted` stdout carries one JSON document and nothing else."""

    def __init__(self, json_wanted: bool = False) -> None:
        self.json_wanted = json_wanted
        self._bar_shown = False

    def json(self, document: Any) -> None:
        """Prints the document, on stdout."""
        print(json_text(document))

    def line(self, words: str = "") -> None:
        """Prints one line of the answer, on stdout, cleaned; nothing of it when JSON was asked for."""
        if not self.json_wanted:
            print(text.clean_lines(words))

    def narrate(self, words: str) -> None:
        """Says a line on stderr, cleaned: names come from servers and stores."""
        self._end_bar()
        print(text.clean_lines(words), file=sys.stderr, flush=True)

    def progress(self, words: str) -> None:
        """Shows a line in place where stderr is a terminal; elsewhere nothing: a log wants no bars."""
        if not sys.stderr.isatty():
            return
        width = shutil.get_terminal_size().columns - 1
        print("\r\x1b[K" + text.clean(words, width), end="", file=sys.stderr, flush=True)
        self._bar_shown = True

    def error(self, error: PgdrError) -> None:
        """Says what failed, why, and what to do next; with JSON, on stdout too as `error`."""
        self.narrate(f"pgdr: {error.what}")
        if error.why:
            self.narrate("\n".join(f"  {line}" for line in error.why.splitlines()))
        if error.mend:
            self.narrate(f"  Next: {error.mend}")
        if self.json_wanted:
            told: dict[str, Any] = {"what": error.what, "why": error.why, "mend": error.mend}
            if isinstance(error, ConfigError):
                told["problems"] = [
                    {"where": p.where, "what": p.what, "mend": p.mend} for p in error.problems
                ]
            self.json({"error": told})

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints columns as wide as their longest cell; every cell cleaned."""
        if self.json_wanted:
            return
        cells = [[text.clean(cell) for cell in row] for row in (head, *rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        for row in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _end_bar(self) -> None:
        if self._bar_shown:
            print("\r\x1b[K", end="", file=sys.stderr)
            self._bar_shown = False
