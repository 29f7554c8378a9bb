"""Who listens where, from /proc: a port that is taken is named with its owner."""

import os
import re

from . import processes

LISTEN = "0A"


def _sockets():
    """(port, inode, uid) of every listening TCP socket."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTEN:
                yield int(fields[1].rpartition(":")[2], 16), fields[9], int(fields[7])


def listening():
    return {port for port, _, _ in _sockets()}


def owner(port):
    """What to call the owner of a port: `pid 17 (redis-server …)`, or the user where the process is not ours to see."""
    found = [(inode, uid) for p, inode, uid in _sockets() if p == port]
    if not found:
        return "nobody"
    inodes = {f"socket:[{inode}]" for inode, _ in found}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if inodes.intersection(_open_files(pid)):
            return f"pid {pid} ({_short(processes.command(pid))})"
    return f"a process of user id {found[0][1]}"


def _open_files(pid):
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for number in numbers:
        try:
            yield os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            pass  # closed in the meantime


def _short(text):
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= 100 else text[:99] + "…"


def taken(wanted):
    """`wanted`: {port: name}. Lines about those of them that are taken."""
    in_use = listening()
    return [f"port {port} ({name}) is taken by {owner(port)}" for port, name in sorted(wanted.items()) if port in in_use]
