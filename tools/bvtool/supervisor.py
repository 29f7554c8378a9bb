"""The process that owns a stack: starts every process of it in order, starts again what dies, and stops all of them.

It runs in a session of its own and is told to stop by SIGTERM. Processes are started by the main thread only, because the
kernel ends them when the *thread* that started them ends (PR_SET_PDEATHSIG): so nothing outlives a supervisor that is killed.
"""

import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import processes, shell, specs, state
from .console import Failure
from .layout import ROOT

WAITING, RUNNING, BACKING_OFF, BROKEN, STOPPED = "waiting", "running", "restarting", "failed", "stopped"

BACKOFF_FIRST, BACKOFF_MAX = 0.1, 10.0  # seconds
STEADY_AFTER = 0.5  # seconds of being ready after which a death counts as the first again
FIRST_START_ATTEMPTS = 5
EXIT_BAD_SETTINGS = 2
LOG_BYTES_MAX = 32 * 2**20
FILES_MAX = 65536  # open files of a process
TAIL_LINES = 10  # of a log, shown when its process dies


class Child:
    """A process and what happened to it. `lock` of the supervisor guards every field."""

    def __init__(self, spec):
        self.spec = spec
        self.process = None
        self.started = None  # start time as the kernel counts it
        self.state = WAITING
        self.healthy = False
        self.was_ready = False
        self.restarts = 0
        self.deaths_in_row = 0
        self.since = time.time()
        self.started_at = 0.0  # monotonic
        self.ready_at = None  # monotonic; when this run became ready
        self.start_after = 0.0  # monotonic
        self.last_exit = None
        self.stop_deadline = None
        self.log_start = 0  # where this run's lines begin in the log
        self.look = threading.Event()  # set when the probe should look at once

    def describe(self):
        running = self.process is not None
        return {"name": self.spec.name, "is_service": self.spec.is_service, "state": self.state,
                "pid": self.process.pid if running else None, "started": self.started if running else None,
                "port": self.spec.port, "ports": self.spec.ports, "healthy": self.healthy, "restarts": self.restarts,
                "since": self.since, "last_exit": self.last_exit, "stop_signal": int(self.spec.stop_signal),
                "stop_patience": self.spec.stop_patience}


class Supervisor:
    """Runs `wanted`, in whose order the processes start. `profile` and `preset` are only written down for others to read."""

    def __init__(self, stack, wanted, profile, preset):
        self._stack = stack
        self._profile = profile
        self._preset = preset
        self._children = {spec.name: Child(spec) for spec in wanted}
        self._lock = threading.Lock()
        self._phase = state.STARTING
        self._stop_requests = 0
        self._over = threading.Event()
        self._started_wall = time.time()
        self._last_state = None
        self._wake_read, self._wake_write = os.pipe()

    # Life

    def run(self):
        _raise_file_limit()
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._stack.events_file.unlink(missing_ok=True)
        self._record()
        for child in self._children.values():
            threading.Thread(target=self._probe, args=(child,), daemon=True).start()
        while self._phase != state.STOPPED:
            with self._lock:
                self._reap()
                if self._stop_requests:
                    self._stop_some()
                else:
                    self._start_some()
                self._move_phase()
            self._record()
            self._bound_logs()
            self._sleep()
        self._over.set()
        return 0

    def _on_stop(self, *_):
        self._stop_requests += 1

    def _sleep(self):
        calm = self._phase == state.READY and all(child.state in (RUNNING, BROKEN) for child in self._children.values())
        readable, _, _ = select.select([self._wake_read], [], [], 1.0 if calm else 0.05)
        if readable:
            os.read(self._wake_read, 4096)

    def _move_phase(self):
        children = self._children.values()
        if self._stop_requests:
            gone = all(child.process is None for child in children)
            self._phase = state.STOPPED if gone else state.STOPPING
        elif self._phase == state.STARTING and any(child.state == BROKEN for child in children if child.spec.awaited):
            self._phase = state.FAILED
        elif self._phase == state.STARTING and all(child.healthy for child in children if child.spec.awaited):
            self._phase = state.READY

    # Starting

    def _start_some(self):
        if self._phase == state.FAILED:
            return
        for child in self._children.values():
            due = child.state == WAITING or (child.state == BACKING_OFF and time.monotonic() >= child.start_after)
            if due and (child.was_ready or all(self._children[name].was_ready for name in child.spec.needs)):
                self._start(child)

    def _start(self, child):
        spec = child.spec
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BV_")}
        environment.update(spec.environment)
        # Through setpriv, which sets the death signal and the user and then becomes the program itself.
        arguments = ["setpriv", "--pdeathsig", signal.Signals(spec.stop_signal).name[3:], *spec.run_as, "--", *spec.command]
        with open(self._stack.log(spec.name), "ab") as log:
            child.log_start = log.tell()
            try:
                child.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                                 cwd="/", env=environment, start_new_session=True)
            except OSError as error:
                child.state = BROKEN
                self._tell(child, "failed", f"cannot be started: {error}")
                return
        child.started = processes.start_time(child.process.pid)
        child.state = RUNNING
        child.healthy = False
        child.since = time.time()
        child.started_at = time.monotonic()
        child.ready_at = None
        child.look.set()

    def _reap(self):
        for child in self._children.values():
            if child.process is None or child.process.poll() is None:
                continue
            code = child.process.returncode
            child.last_exit = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            child.process, child.started, child.healthy = None, None, False
            child.since = time.time()
            if self._stop_requests:
                child.state = STOPPED
                self._tell(child, "stopped", f"stopped ({child.last_exit})")
                continue
            steady = child.ready_at is not None and time.monotonic() - child.ready_at > STEADY_AFTER
            child.deaths_in_row = 1 if steady else child.deaths_in_row + 1
            tail = shell.tail(self._stack.log(child.spec.name), TAIL_LINES, child.log_start)
            if not child.was_ready and (code == EXIT_BAD_SETTINGS or child.deaths_in_row >= FIRST_START_ATTEMPTS):
                child.state = BROKEN
                self._tell(child, "failed", f"does not start ({child.last_exit}); the end of its log:", tail)
                continue
            delay = min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** (child.deaths_in_row - 1))
            child.state = BACKING_OFF
            child.restarts += 1
            child.start_after = time.monotonic() + delay
            self._tell(child, "died", f"died ({child.last_exit}), starts again in {delay:.1f} s; the end of its log:", tail)

    # Stopping: whoever is needed by another goes after it, and servers go last.

    def _stop_some(self):
        now = time.monotonic()
        for child in self._children.values():
            if child.process is None:
                child.state = STOPPED
        running = [child for child in self._children.values() if child.process is not None]
        services_left = any(child.spec.is_service for child in running)
        for child in running:
            needed = any(child.spec.name in other.spec.needs for other in running)
            if child.stop_deadline is None and (self._stop_requests > 1 or not (
                    needed or (services_left and not child.spec.is_service))):
                child.stop_deadline = now + child.spec.stop_patience
                child.process.send_signal(child.spec.stop_signal)
            if child.stop_deadline is not None and (now > child.stop_deadline or self._stop_requests > 2):
                self._tell(child, "killed", "does not stop, is killed")
                child.stop_deadline = now + 5
                os.killpg(child.process.pid, signal.SIGKILL)

    # Watching

    def _probe(self, child):
        while not self._over.is_set():
            with self._lock:
                process = child.process
            answers = process is not None and child.spec.ready()
            if answers and not child.was_ready:
                answers = child.state == RUNNING and self._finish_start(child)
            with self._lock:
                if child.process is process:
                    if answers and not child.healthy:
                        child.ready_at = time.monotonic()
                        self._tell(child, "ready", f"ready after {time.monotonic() - child.started_at:.1f} s"
                                   + (f", start {child.restarts + 1}" if child.restarts else ""))
                    elif child.healthy and not answers and not self._stop_requests:
                        self._tell(child, "unready", "runs, but does not answer as ready")
                    child.healthy = bool(answers)
                    child.was_ready = child.was_ready or child.healthy
            child.look.wait(child.spec.probe_interval if answers else 0.1)
            child.look.clear()

    def _finish_start(self, child):
        try:
            child.spec.after_ready()
            return True
        except Failure as failure:
            with self._lock:
                child.state = BROKEN
                self._tell(child, "failed", str(failure))
            return False

    # Telling

    def _tell(self, child, kind, text, tail=()):
        event = {"time": time.time(), "name": child.spec.name, "kind": kind, "text": text, "tail": list(tail)}
        with open(os.open(self._stack.events_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def _record(self):
        with self._lock:
            described = {
                "stack": self._stack.name, "profile": self._profile, "preset": self._preset, "phase": self._phase,
                "since": self._started_wall, "root": str(ROOT),
                "supervisor": {"pid": os.getpid(), "started": processes.start_time(os.getpid())},
                "processes": [child.describe() for child in self._children.values()],
            }
        if described != self._last_state:
            state.write(self._stack, described)
            self._last_state = described

    def _bound_logs(self):
        for child in self._children.values():
            log = self._stack.log(child.spec.name)
            try:
                if log.stat().st_size > LOG_BYTES_MAX:
                    # Copied and truncated, not renamed: the process goes on writing to the file it has.
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)
            except FileNotFoundError:
                pass


def _raise_file_limit():
    """For all that is started here, as far as the machine lets: a gateway has two files open for each client that only listens."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def main(stack, profile, preset, servers_only):
    lock = state.Lock(stack.dir / "supervisor.lock")
    if not lock.take():
        print(f"another supervisor has the stack {stack.name}", file=sys.stderr)
        return 1
    wanted = specs.servers(stack) if servers_only else specs.of(stack, profile, preset)
    return Supervisor(stack, wanted, profile, preset).run()
