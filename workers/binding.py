"""Where the service may listen; what it refuses to start with."""

from __future__ import annotations

import argparse
import ipaddress
import socket


class RefusedError(Exception):
    """The service will not start as asked; the message says what to change."""


def refuse_unsafe_binding(host: str, token: str | None) -> None:
    """Refuse to listen beyond this machine without a token.

    Raises:
        RefusedError: set HEADRACE_TOKEN, or bind loopback.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not token:
        raise RefusedError(f"refusing to listen on {host} without a token: set HEADRACE_TOKEN, or use 127.0.0.1")


def usable_port(host: str, port: int) -> int:
    """``port``, or a free one for 0, after trying that it can be listened on.

    The server tries it again later; but whoever has it now would answer in its place until then.

    Raises:
        RefusedError: another program has the port, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RefusedError(
                f"cannot listen on {host} port {port} ({error.strerror}): stop what uses it, or give another --port"
            ) from error
        return int(probe.getsockname()[1])


def port_number(text: str) -> int:
    """A port on the command line; 0 stands for any."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535, 0 takes a free one")
    return int(text)


def slot_number(text: str) -> int:
    """A number of evaluations at a time on the command line."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of evaluations at a time: 1 to 1024")
    return int(text)
