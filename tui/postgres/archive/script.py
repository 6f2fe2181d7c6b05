"""Plain SQL as pg_dump writes it and psql reads it, taken apart while it streams past: items, statements, the
rows of a COPY, psql's own commands. Nothing of it is run here.

Where a statement ends follows psql's lexer (psqlscan.l); where COPY's rows end, handleCopyIn in psql's
copy.c; the comments that name the items, _printTocEntry in pg_backup_archiver.c, PostgreSQL 12 to 18.
A dump comes from outside: what can't be told apart ends as Odd, and is for the reader to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.model.errors import ArchiveError

DUMP = b"-- PostgreSQL database dump"
CLUSTER = b"-- PostgreSQL database cluster dump"

_LONGEST = 1 << 30  # bytes of a statement or a line: the server takes no more (MaxAllocSize)
_BOM = b"\xef\xbb\xbf"

_HEADER = re.compile(
    rb"-- (?:Data for |Statistics for )?Name: (?P<name>.*); Type: (?P<desc>[A-Z ]+); Schema: (?P<schema>.*); "
    rb"Owner: (?P<owner>.*?)(?:; Tablespace: (?P<tablespace>.*))?\s*\Z"
)
_COPIES = re.compile(rb"\bFROM\s+STDIN\b", re.IGNORECASE)
_ESCAPES = re.compile(
    rb"\s*SET\s+(?:SESSION\s+)?standard_conforming_strings\s*(?:=|TO)\s*'?(on|off)", re.IGNORECASE
)
_OWN_PAIR = re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]+\s*\Z")

_TOKEN = re.compile(
    rb"--|/\*|[eE]'|[uU]&['\"]|[bBxXnN]'|['\"();\\]|\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$"
    rb"|[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*|[0-9][0-9A-Za-z_.]*"
)
_ENDS = {  # of what begins with a quote, from behind it; possessive, or a doubled quote could end it
    "'": re.compile(rb"[^']*+(?:''[^']*+)*+'"),
    "e": re.compile(rb"[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+'", re.DOTALL),
    '"': re.compile(rb'[^"]*+(?:""[^"]*+)*+"'),
}
# What can be passed over at once where words don't matter: some five times as quick as word by word. A word
# before a quote, as E'', is never among it; strings are only as long as a backslash is nothing special.
_WORDS = (
    rb"[^-/'\"();\\$A-Za-z0-9_\x80-\xff]++|[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+(?!['&])"
    rb"|[0-9][0-9A-Za-z_.]*+|-(?!-)|/(?!\*)"
)
_STRINGS = _WORDS + rb"|'[^']*+(?:''[^']*+)*+'"
_FLAT = rb"(?:" + _STRINGS + rb"|\((?:" + _STRINGS + rb")*+\))*+"
_DULL_WORDS = re.compile(rb"(?:" + _WORDS + rb")*+")
_DULL = re.compile(_FLAT)
_INSERT = re.compile(rb"INSERT " + _FLAT + rb";\s*\Z")  # all of it on one line, and nothing else
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_ROUTINE = re.compile(r"c(?:or)?[fp]")  # CREATE [OR REPLACE] FUNCTION or PROCEDURE, by first letters
_TELLING = frozenset({b"alter", b"create", b"drop"})  # of these the next words matter too
_LETTERS = {b"create": "c", b"or": "o", b"replace": "r", b"function": "f", b"procedure": "p"}


@dataclass(frozen=True, slots=True)
class Named:
    """The comment in front of an item: what pg_dump calls it, in the file's own encoding."""

    desc: str
    name: bytes
    schema: bytes
    owner: bytes
    tablespace: bytes | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its semicolon. With `copies`, rows follow: Rows, then RowsEnd. `opening` is its
    first word in lower case, of ALTER, CREATE and DROP up to three, whatever stands between them."""

    text: bytes
    copies: bool = False
    opening: bytes = b""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of a COPY's rows, as they are in the file."""

    data: bytes


@dataclass(frozen=True, slots=True)
class RowsEnd:
    """The line that ends a COPY's rows."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a line of its own that names no item."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Odd:
    """What no restore may pass over: one of psql's own commands, or a file that ends in the middle."""

    what: str
    cut: bool = False


Part = Named | Statement | Rows | RowsEnd | Remark | Odd


def parts(chunks: Iterable[bytes]) -> Iterator[Part]:
    """Given a dump's text, gives what it is made of, in order. psql's \\restrict and \\unrestrict, which
    pg_dump writes since 2025, are left out: nothing here runs psql's commands.

    Raises ArchiveError on a line or statement longer than any server takes, and as `chunks` does.
    """
    source = _Lines(chunks)
    lexer = _Lexer()
    while (line := source.line()) is not None:
        copies = False
        for part in lexer.line(line):
            if copies:
                yield Odd("Something follows COPY on its line.")
                return
            copies = isinstance(part, Statement) and part.copies
            yield part
        if copies:
            if not lexer.is_blank:
                yield Odd("Something follows COPY on its line.")
                return
            yield from source.rows()
            if source.cut:
                yield Odd("It ends among a table's rows.", cut=True)
                return
    yield from lexer.end()


class _Lines:
    """The text line by line, and the rows of a COPY in large pieces."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.cut = False
        self._chunks = iter(chunks)
        self._data = b""
        self._at = 0
        self._is_first = True

    def line(self) -> bytes | None:
        """The next line with its end, None behind the last."""
        pieces: list[bytes] = []
        length = 0
        while (end := self._data.find(b"\n", self._at)) < 0:
            pieces.append(self._data[self._at :])
            length += len(pieces[-1])
            if length > _LONGEST:
                raise _too_long()
            self._at = len(self._data)
            if not self._more():
                return b"".join(pieces) or None
        line = self._data[self._at : end + 1]
        self._at = end + 1
        if pieces:
            line = b"".join((*pieces, line))
        if self._is_first:
            line, self._is_first = line.removeprefix(_BOM), False
        return line

    def rows(self) -> Iterator[Part]:
        """All up to the line `\\.`, which must come; `cut` says that it didn't."""
        begins, search_from = True, self._at  # whether a line begins at `_at`
        while True:
            data, at = self._data, self._at
            if begins and search_from == at and data.startswith(b"\\.", at):
                found = at
            else:
                found = data.find(b"\n\\.", search_from) + 1 or -1
            after = data[found + 2 : found + 4] if found >= 0 else b""
            if found >= 0 and (after[:1] == b"\n" or after == b"\r\n"):
                if found > at:
                    yield Rows(data[at:found])
                self._at = found + (3 if after[:1] == b"\n" else 4)
                yield RowsEnd()
                return
            if found >= 0 and after not in (b"", b"\r"):
                search_from = found + 1  # a row that only begins so
                continue
            # What may become the end stays until more is here.
            keep = found if found >= 0 else max(at, len(data) - 2)
            if keep > at:
                yield Rows(data[at:keep])
                self._at, begins = keep, found >= 0
            if not self._more():
                if begins and found >= 0:
                    yield RowsEnd()
                else:
                    self.cut = True
                self._data, self._at = b"", 0
                return
            search_from = self._at

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._data, self._at = self._data[self._at :] + chunk, 0
        return True


class _Lexer:
    """Where statements end."""

    def __init__(self) -> None:
        self._text = bytearray()  # of the statement so far
        self._inside: str | bytes | None = None  # "'", "e", '"', a dollar quote's tag, "/*"
        self._depth = 0  # of comments in one another
        self._escapes = False  # standard_conforming_strings = off
        self._string: str | None = None  # the kind of the string that has just ended
        self._parentheses = self._begins = self._words = 0
        self._letters, self._first, self._opening = "", b"", b""
        self._is_dull = False  # whether what its further words are doesn't matter

    @property
    def is_blank(self) -> bool:
        """Whether nothing has begun that isn't ended."""
        return self._inside is None and not self._text

    @property
    def _is_plain(self) -> bool:
        """Whether a statement begins here, and a backslash in it is nothing special."""
        return not (self._words or self._parentheses or self._escapes)

    def line(self, line: bytes) -> Iterator[Part]:
        """Given the next line, gives what ends on it."""
        at = start = 0
        if self._inside is None and self.is_blank:
            if line[:2] == b"--":
                yield _comment(line)
                return
            if line[:1] == b"\\" and _OWN_PAIR.match(line):
                return
            if line[:7] == b"INSERT " and self._is_plain and _INSERT.match(line):
                yield Statement(line.strip(), opening=b"insert")
                return
        while at < len(line):
            if self._inside is not None:
                at = self._leave(line, at)
                continue
            if self._is_dull:
                dull = _DULL_WORDS if self._escapes or self._string == "e" else _DULL
                if (passed := dull.match(line, at)) is not None:
                    at = passed.end()
            found = _TOKEN.search(line, at)
            if found is None:
                break
            token, at = found[0], found.end()
            if token == b"--":
                self._add(line[start : found.start()] + b"\n")
                return
            if token == b"/*":
                self._inside, self._depth = "/*", 1
            elif token == b"\\":
                yield Odd(f"It has a command of psql's: {line[found.start() :].decode('utf-8', 'replace')}")
                return
            elif token == b"(":
                self._parentheses += 1
            elif token == b")":
                self._parentheses = max(0, self._parentheses - 1)
            elif token == b";":
                if not self._parentheses and not self._begins:
                    self._text += line[start:at]
                    start = at
                    if (ended := self._ended()) is not None:
                        yield ended
            elif token[-1:] in b"'\"":
                self._inside = self._quote(token, line[start : found.start()])
            elif token[:1] == b"$":
                self._inside = token
            else:
                self._word(token.lower())
        self._add(line[start:])

    def end(self) -> Iterator[Part]:
        """Says that the text has ended."""
        if self._inside is not None:
            yield Odd("It ends in the middle of a text or comment.", cut=True)
        elif self._words:
            yield Odd("It ends in the middle of a statement.", cut=True)

    def _add(self, text: bytes) -> None:
        """More of a statement: blanks in front of one are no part of it."""
        if self._text or self._inside is not None or text.strip():
            self._text += text
        if len(self._text) > _LONGEST:
            raise _too_long()

    def _quote(self, token: bytes, before: bytes) -> str:
        if token[-1:] == b'"':
            return '"'
        if token[:1] in b"eE":
            return "e"
        # 'a' on one line and 'b' on the next are one string, of the first one's kind
        tail = (bytes(self._text[-64:]) + before).rpartition(b"'")
        if token == b"'" and self._string == "e" and tail[1] and b"\n" in tail[2] and not tail[2].strip():
            return "e"
        return "e" if self._escapes and token == b"'" else "'"

    def _leave(self, line: bytes, at: int) -> int:
        """Goes on behind the end of what it is inside of, or to the line's end."""
        inside = self._inside
        if inside == "/*":
            while self._depth and (edge := _COMMENT_EDGE.search(line, at)):
                self._depth += 1 if edge[0] == b"/*" else -1
                at = edge.end()
            if self._depth:
                return len(line)
        elif isinstance(inside, bytes):
            found = line.find(inside, at)
            if found < 0:
                return len(line)
            at = found + len(inside)
        else:
            ended = _ENDS[inside or ""].match(line, at)
            if ended is None:
                return len(line)
            at = ended.end()
            self._string = inside
        self._inside = None
        return at

    def _word(self, word: bytes) -> None:
        """BEGIN ATOMIC … END of a function's body holds semicolons that end nothing."""
        if not self._words:
            self._first = self._opening = word
        elif self._words < 3 and self._first in _TELLING:
            self._opening += b" " + word
        if self._words < 4:
            self._letters += _LETTERS.get(word, "-")
        self._words += 1
        if self._words == 4 or self._first not in _TELLING:
            self._is_dull = _ROUTINE.match(self._letters) is None
        if self._parentheses or not _ROUTINE.match(self._letters):
            return
        if word == b"begin" or (word == b"case" and self._begins):
            self._begins += 1
        elif word == b"end" and self._begins:
            self._begins -= 1

    def _begin(self) -> None:
        self._parentheses = self._begins = self._words = 0
        self._letters, self._first, self._opening = "", b"", b""
        self._is_dull, self._string = False, None
        self._text.clear()

    def _ended(self) -> Statement | None:
        text = bytes(self._text).strip()
        opening = self._opening
        copies = self._first == b"copy" and _COPIES.search(text) is not None
        self._begin()
        if found := _ESCAPES.match(text):
            self._escapes = found[1].lower() == b"off"
        return Statement(text, copies, opening) if text != b";" else None


def _comment(line: bytes) -> Part:
    found = _HEADER.match(line)
    if found is None:
        return Remark(line.strip())
    desc = found["desc"].decode("ascii")
    return Named(desc, found["name"], found["schema"], found["owner"], found["tablespace"])


def _too_long() -> ArchiveError:
    return ArchiveError(
        "It is no dump: a line or a statement in it is longer than a gigabyte, which no server takes.",
        mend="Use another backup.",
    )
