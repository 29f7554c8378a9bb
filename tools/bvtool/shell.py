"""Running other programs: their output goes to a file, and its end is shown when they fail."""

import os
import subprocess

from .console import Failure
from .layout import BV


def tail(path, lines=20, start=0):
    """The last lines of a file, from the byte `start` on."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= end else 0, end - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def run(arguments, what, log=None, env=None, cwd=None, stdin=None):
    """Runs to the end. A non-zero exit is a Failure with the last lines of the log, which is kept."""
    log = log or BV / "logs" / f"{what.lower().replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as out:
        try:
            done = subprocess.run([str(a) for a in arguments], stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                                  input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                                  env={**os.environ, **(env or {})}, check=False)
        except FileNotFoundError as error:
            raise Failure(f"{what}: {error.filename} is not installed.") from error
    if done.returncode != 0:
        raise Failure("\n".join([f"{what} failed with exit code {done.returncode}:"]
                                + [f"    {line}" for line in tail(log)] + [f"All of it: {log}"]))


def answer(arguments, env=None, timeout=20):
    """Standard output of a short call, or None when it fails."""
    try:
        done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
