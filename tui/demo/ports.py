"""Ports of 127.0.0.1 that nobody listens on."""

from __future__ import annotations

import socket

ADDRESS = "127.0.0.1"


def free_port(prefer: int | None = None) -> int:
    """`prefer` when nobody listens there, else a free one of the system's choice.

    The port is free when this returns, not reserved: whoever takes it must be ready to ask again.
    """
    if prefer is not None and _takable(prefer):
        return prefer
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _takable(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do it: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((ADDRESS, port)) == 0
