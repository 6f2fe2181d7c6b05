"""One session that carries out the statements of a dump in plain SQL, one by one, as psql would.

psql itself isn't used: it has commands of its own, by which a dump could run programs here, and the rows of
a COPY that has failed it reads as commands. Here the server gets SQL and rows, and nothing else reads them.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import pq

from tui.model.fleet import Endpoint
from tui.postgres.connection import connect, failures

# From 14 on a server looks every two seconds whether the client of a long statement is still there.
_CLIENT_GONE_S = 2
_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY)


@dataclass(frozen=True, slots=True)
class Failed:
    """What the server said of a statement, in its own lines, with the SQLSTATE where it said one."""

    message: str
    sqlstate: str | None


class SqlSession:
    """A connection to the database that is restored. For one thread at a time, all but `cancel`."""

    def __init__(self, endpoint: Endpoint, dbname: str, application: str) -> None:
        """Raises as `connect` does."""
        self._connection = connect(endpoint, dbname, application=application)
        self._inner = self._connection.pgconn
        self._inner.notice_handler = None  # "table has no columns" and the like: of no use to a restore
        with failures("The session for the restore could not be set up."):
            self._connection.execute("RESET search_path")  # a dump by pg_dump sets it, others rely on it
            if self._connection.info.server_version >= 140000:
                self._connection.execute(
                    f"SET client_connection_check_interval = '{_CLIENT_GONE_S}s'".encode()
                )

    @property
    def is_lost(self) -> bool:
        """Whether the server has gone away."""
        return self._inner.status != pq.ConnStatus.OK

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction was begun and not ended: nothing of it stays when the session ends."""
        return self._inner.transaction_status != pq.TransactionStatus.IDLE

    def run(self, statement: bytes) -> Failed | None:
        """Carries out one statement; returns what went wrong."""
        result = self._result(statement)
        if isinstance(result, Failed):
            return result
        if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
            return self._leave_copy(result)
        return None if result.status in _DONE else self._failed(result)

    def begin_rows(self, statement: bytes) -> Failed | None:
        """Carries out a COPY … FROM stdin up to where the server waits for rows; returns what went wrong."""
        result = self._result(statement)
        if isinstance(result, Failed):
            return result
        if result.status == pq.ExecStatus.COPY_IN:
            return None
        return self._failed(result) if result.status not in _DONE else Failed("It waits for no rows.", None)

    def rows(self, data: bytes) -> Failed | None:
        """Sends rows. What the server has against them shows at the end."""
        try:
            self._inner.put_copy_data(data)
        except psycopg.Error as error:
            return self._lost(error)
        return None

    def end_rows(self, error: bytes | None = None) -> Failed | None:
        """Ends the rows; with `error` none of them is kept. Returns what went wrong."""
        try:
            self._inner.put_copy_end(error)
            problem = None
            while (result := self._inner.get_result()) is not None:
                if result.status not in _DONE:
                    problem = problem or self._failed(result)
        except psycopg.Error as raised:
            return self._lost(raised)
        return problem

    def cancel(self) -> None:
        """Ends the statement that is running, from another thread."""
        try:
            self._inner.get_cancel().cancel()
        except psycopg.Error:
            return  # it has ended, or the server has: both show in what is waited for

    def cut(self) -> None:
        """Cuts the connection, from another thread: what waits for the server then fails."""
        handle = socket.socket(fileno=os.dup(self._inner.socket))
        with handle, suppress(OSError):  # it was closed already
            handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the session. Not while another thread waits for the server in it."""
        self._connection.close()

    def _result(self, statement: bytes) -> pq.abc.PGresult | Failed:
        try:
            return self._inner.exec_(statement)
        except psycopg.Error as error:
            return self._lost(error)
        except ValueError:  # a zero byte can't be sent, and no dump by pg_dump has one
            return Failed("ERROR:  a zero byte in a statement", None)

    def _leave_copy(self, result: pq.abc.PGresult) -> Failed:
        """A COPY that the text has no rows for."""
        if result.status == pq.ExecStatus.COPY_IN:
            self.end_rows(b"no rows follow")
        else:
            self._connection.close()  # rows to the client: nobody dumps that, and it would never end
        return Failed("ERROR:  a COPY without its rows", None)

    def _failed(self, result: pq.abc.PGresult) -> Failed:
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        said = result.error_message.decode("utf-8", "replace").strip()
        return Failed(said or "ERROR:  the server gave no reason", state.decode() if state else None)

    def _lost(self, error: psycopg.Error) -> Failed:
        said = self._inner.error_message.decode("utf-8", "replace").strip()
        return Failed(said or str(error), None)
