"""Ports of this machine."""

import socket


def is_free(port: int) -> bool:
    """Whether something could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(preferred: int | None, *, taken: set[int]) -> int:
    """`preferred` where it is free, so that a second start keeps its addresses; else any free port not in `taken`."""
    if preferred is not None and preferred not in taken and is_free(preferred):
        return preferred
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
