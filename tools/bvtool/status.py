"""`status` and `logs`."""

import os
import time

from . import processes, shell, stack as stacks, state
from .console import Failure, bold, dim, duration, green, note, red, say, table, yellow
from .layout import Stack, stack_names

STATE_HEADERS = ("NAME", "STATE", "HEALTH", "PID", "PORT", "RSS MB", "RESTARTS", "UPTIME")


def rows(now):
    """One dict a process: the recorded state, and memory as it is this moment."""
    supervised = state.supervised(now)
    for process in now["processes"]:
        lives = processes.alive(process["pid"], process["started"])
        resident = processes.tree_resident_mb(process["pid"]) if lives else None
        yield {
            "name": process["name"], "kind": "service" if process["is_service"] else "server",
            "state": process["state"] if supervised else ("unsupervised" if lives else "stopped"),
            "health": "ready" if supervised and lives and process["healthy"] else ("not ready" if lives else "-"),
            "pid": process["pid"] if lives else None, "port": process["port"],
            "ports": {name: int(port) for port, name in process["ports"].items()},
            "rss_mb": None if resident is None else round(resident, 1), "restarts": process["restarts"],
            "uptime_s": round(time.time() - process["since"], 1) if lives else None, "last_exit": process["last_exit"],
        }


def as_json(stack):
    now = state.read(stack)
    if not now:
        return {"stack": stack.name, "phase": state.STOPPED, "supervisor_pid": None, "processes": []}
    lives = state.supervised(now)
    return {"stack": stack.name, "phase": now["phase"] if lives else state.STOPPED, "profile": now["profile"],
            "preset": now["preset"], "supervisor_pid": now["supervisor"]["pid"] if lives else None, "processes": list(rows(now))}


def show(stack):
    now = state.read(stack)
    if not now or not (state.supervised(now) or state.leftovers(now)):
        say(f"The stack {bold(stack.name)} is stopped.")
    else:
        since = duration(time.time() - now["since"])
        phase = now["phase"] if state.supervised(now) else "unsupervised (its supervisor was killed): `tools/bv down` cleans up"
        say(f"Stack {bold(stack.name)}, profile {now['profile']}, {phase}, for {since}")
        say()
        lines = table([_cells(row) for row in rows(now)], STATE_HEADERS)
        say(bold(lines[0]))
        for line in lines[1:]:
            say(line.replace("not ready", yellow("not ready")).replace(" ready ", green(" ready ")).replace("failed", red("failed")))
    others = [name for name in stack_names() if name != stack.name and stacks.running(Stack(name))]
    if others:
        say()
        note("also running: " + ", ".join(f"{name} (--stack {name})" for name in others))


def _cells(row):
    return [row["name"], row["state"], row["health"], row["pid"] or "-", row["port"],
            "-" if row["rss_mb"] is None else f"{row['rss_mb']:.1f}", row["restarts"],
            "-" if row["uptime_s"] is None else duration(row["uptime_s"])]


def logs(stack, service, follow):
    names = sorted(path.stem for path in stack.logs.glob("*.log")) if stack.logs.exists() else []
    if not names:
        raise Failure(f"The stack {stack.name} has no logs yet.")
    if service and service not in names:
        raise Failure(f"No log of {service!r}; there are: {', '.join(names)}.")
    chosen = [service] if service else names
    positions = {}
    for name in chosen:
        path = stack.log(name)
        positions[name] = path.stat().st_size
        for line in shell.tail(path, 200 if service else 20):
            _print(name, line, len(chosen) > 1)
    while follow:
        for name in chosen:
            positions[name] = _print_new(name, stack.log(name), positions[name], len(chosen) > 1)
        time.sleep(0.2)
    return 0


def _print_new(name, path, position, named):
    """Prints the whole lines behind `position`; returns where it stopped. A log that was cut begins anew."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(0 if end < position else position)
            text = file.read()
            start = file.tell() - len(text)
    except FileNotFoundError:
        return 0
    whole = text[:text.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        _print(name, line, named)
    return start + len(whole)


def _print(name, line, named):
    say(f"{dim(f'{name:<13}')} {line}" if named else line)
