"""What a supervisor writes down about its stack, for every other call of tools/bv to read."""

import fcntl
import json

from . import processes
from .layout import write_private

STARTING, READY, STOPPING, STOPPED, FAILED = "starting", "ready", "stopping", "stopped", "failed"


def write(stack, state):
    write_private(stack.state_file, json.dumps(state, indent=1) + "\n")


def read(stack):
    """The last state, or None. Whether it still holds says `supervised`."""
    try:
        return json.loads(stack.state_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def supervised(state):
    return bool(state) and processes.alive(state["supervisor"]["pid"], state["supervisor"]["started"])


def leftovers(state):
    """Recorded processes that still run though their supervisor is gone."""
    if not state or supervised(state):
        return []
    return [p for p in state["processes"] if processes.alive(p["pid"], p["started"])]


class Lock:
    """Held by one process at a time; the kernel lets go when that process ends, however it ends."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "a", encoding="utf-8")

    def take(self, wait=False):
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def release(self):
        self._file.close()
