"""Facts about processes from /proc, and how they are ended. A process is a pid *and* its start time: pids are used again."""

import os
import signal
import time


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def start_time(pid):
    """Clock ticks since boot, or None when there is no such process. A zombie counts as gone."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def alive(pid, started):
    return pid is not None and started is not None and start_time(pid) == started


def resident_mb(pid):
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return None


def tree_resident_mb(pid):
    """Resident memory of a process; of a family, what they share is counted once (PSS, where the kernel tells)."""
    below = descendants(pid)
    if not below:
        return resident_mb(pid)
    return sum(_proportional_mb(member) or resident_mb(member) or 0.0 for member in [pid, *below])


def _proportional_mb(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def descendants(pid):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(entry)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        return text or open(f"/proc/{pid}/comm", encoding="utf-8").read().strip()
    except OSError:
        return "?"


def end(pid, started, first_signal=signal.SIGTERM, patience=20.0):
    """Asks a process to end, waits, and kills its group if it does not. Returns whether it went by itself."""
    if not alive(pid, started):
        return True
    _signal(pid, first_signal)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not alive(pid, started):
            return True
        time.sleep(0.05)
    _signal(-pid if _leads_group(pid) else pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)
    return False


def _leads_group(pid):
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
