"""Ports for servers that cannot be asked to choose their own."""

import socket
from random import SystemRandom


def free_port() -> int:
    """Return a port of the loopback that is free: none of those that the kernel hands to clients meanwhile."""
    while True:
        port = SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as place:
            if place.connect_ex(("127.0.0.1", port)):
                return port
