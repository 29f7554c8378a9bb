"""Starting, stopping and deleting a stack, from the side of the person who asks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from . import build, connect, credentials, ports, postgres, processes, shell, specs, state
from .console import Failure, Step, bold, dim, note, red, say, warn, yellow
from .layout import OTHER_OFFSET, ROOT, Stack, stack_names

LINE_MAX = 240  # characters of a log's line
READY_WITHIN = 150.0  # seconds; on a busy machine, with a cold disk


def running(stack):
    """The state of a stack whose supervisor lives, else None."""
    now = state.read(stack)
    return now if state.supervised(now) else None


def start(stack, profile, preset, servers_only=False):
    """Starts a supervisor and returns when everything is ready; on failure nothing is left running."""
    if state.leftovers(state.read(stack)):
        down(stack)
    _refuse_other_stack(stack)
    if not servers_only:
        build.binaries(preset, sorted({line.replica_of or line.name for line in specs.fleet(stack) if not line.node}))
    _make_folders(stack)
    credentials.create(stack)
    wanted = specs.servers(stack) if servers_only else specs.of(stack, profile, preset)
    problems = ports.taken({port: name for spec in wanted for port, name in spec.ports.items()})
    if problems:
        raise Failure("\n".join(problems) + "\nEnd it, or write another base port into .bv/port_base.")
    with Step("data folders", str(stack.dir)):
        specs.prepare_servers(stack, preset)
        if profile == "cdc":
            connect.prepare(stack)
    arguments = [sys.executable, str(ROOT / "tools" / "bv"), "_supervise", "--stack", stack.name, "--profile", profile,
                 "--preset", preset] + (["--servers-only"] if servers_only else [])
    with open(stack.log("supervisor"), "ab") as log:
        supervisor = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
    try:
        with Step("servers" if servers_only else "servers and fleet") as step:
            _await_ready(stack, supervisor, step)
    except BaseException:
        down(stack, quiet=True, known=supervisor.pid)
        raise


def _refuse_other_stack(stack):
    if stack.name == "dev":
        return
    for name in stack_names():
        if name not in ("dev", stack.name) and running(Stack(name)):
            raise Failure(f"The stack `{name}` runs, and has the ports that `{stack.name}` would have (base + {OTHER_OFFSET}): "
                          f"`tools/bv down --stack {name}` first.")


def _make_folders(stack):
    stack.logs.mkdir(parents=True, exist_ok=True)
    # The server's user of PostgreSQL passes through; what is secret lies in files and folders of mode 0600 and 0700.
    stack.dir.chmod(0o711 if postgres.run_as() else 0o700)
    stack.logs.chmod(0o700)


def _await_ready(stack, supervisor, step):
    deadline = time.monotonic() + READY_WITHIN
    while True:
        now = running(stack)
        if now and now["supervisor"]["pid"] == supervisor.pid:
            waiting = [p["name"] for p in now["processes"] if not p["healthy"]]
            if now["phase"] == state.READY:
                step.update(f"{len(now['processes']) - len(waiting)} processes ready")
                return
            step.update("waiting for " + ", ".join(waiting))
            if now["phase"] == state.FAILED:
                raise Failure("\n".join(_failures(stack)))
        if supervisor.poll() is not None:
            raise Failure("\n".join(["The supervisor ended:"] + shell.tail(stack.log("supervisor"))))
        if time.monotonic() > deadline:
            raise Failure("\n".join(_unready(stack, now)))
        time.sleep(0.05)


def _failures(stack):
    for event in events(stack):
        if event["kind"] == "failed":
            yield f"{event['name']} {event['text']}"
            yield from (f"    {line}" for line in event["tail"])


def _unready(stack, now):
    yield f"Not ready after {READY_WITHIN:.0f} s:"
    for process in (now or {"processes": []})["processes"]:
        if not process["healthy"]:
            yield f"  {process['name']} ({process['state']}); the end of {stack.log(process['name'])}:"
            yield from (f"    {line}" for line in shell.tail(stack.log(process["name"]), 10))


def events(stack, skip=0):
    try:
        with open(stack.events_file, encoding="utf-8") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines[skip:] if line.endswith("\n")]


def watch(stack):
    """Shows what happens to a stack until ^C or its end. Returns the exit code."""
    seen = len(events(stack))
    ours = running(stack)
    while True:
        for event in events(stack, seen):
            seen += 1
            show(event)
        if not running(stack):
            now = state.read(stack)
            if now and now["phase"] == state.STOPPED:
                note("stopped by another call")
                return 0
            if ours and state.leftovers(now):
                down(stack)
            warn("The supervisor was killed; everything it had started is stopped.")
            return 1
        time.sleep(0.2)


def show(event):
    clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    colour = {"failed": red, "died": red, "killed": red, "unready": yellow}.get(event["kind"], str)
    say(f"{dim(clock)} {bold(event['name'])} {colour(event['text'])}")
    for line in event["tail"]:
        say(dim(f"    {line[:LINE_MAX]}"))


def down(stack, quiet=False, known=None):
    """Stops everything of a stack, also what a killed supervisor left. Returns whether there was anything."""
    now = state.read(stack)
    if state.supervised(now):
        _stop_supervisor(stack, now, quiet)
        now = state.read(stack)
    elif known and processes.start_time(known):
        processes.end(known, processes.start_time(known))
    elif not state.leftovers(now):
        return False
    left = state.leftovers(now)
    if left:
        with Step("leftovers", ", ".join(p["name"] for p in left)):
            # In the reverse of their start: services first, then the servers.
            for process in reversed(left):
                processes.end(process["pid"], process["started"], process["stop_signal"], process["stop_patience"])
    if now and now["phase"] != state.STOPPED:
        now["phase"] = state.STOPPED
        for process in now["processes"]:
            process.update(state="stopped", pid=None, started=None, healthy=False)
        state.write(stack, now)
    return True


def _stop_supervisor(stack, now, quiet):
    supervisor = now["supervisor"]
    os.kill(supervisor["pid"], signal.SIGTERM)

    def wait(update):
        while processes.alive(supervisor["pid"], supervisor["started"]):
            left = [p["name"] for p in (state.read(stack) or now)["processes"] if p["pid"]]
            update("waiting for " + ", ".join(left) if left else "")
            time.sleep(0.05)

    if quiet:
        wait(lambda _: None)
        return
    while True:
        try:
            with Step("stop", stack.name) as step:
                wait(step.update)
                step.update(f"stack {stack.name}")
            return
        except KeyboardInterrupt:
            say("  does not wait any longer for what drains")
            if processes.alive(supervisor["pid"], supervisor["started"]):
                os.kill(supervisor["pid"], signal.SIGTERM)


def reset(stack, quiet=False):
    down(stack, quiet)
    if stack.dir.exists():
        postgres.delete(stack)
        shutil.rmtree(stack.dir)
        return True
    return False
