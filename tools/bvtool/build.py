"""CMake and Ninja, with progress that fits a terminal as well as a log."""

import os
import re
import subprocess

from . import shell
from .console import Failure, Step, say
from .layout import BV, ROOT, build_dir

MEMORY_PER_JOB = 0.8 * 2**30  # a service's file with gRPC and Asio in it
STATUS = "[%f/%t] "
PROGRESS = re.compile(r"^\[(\d+)/(\d+)\] (.*)")


def run(preset):
    if not (ROOT / "CMakePresets.json").exists():
        raise Failure(f"{ROOT} has no CMakePresets.json: is the clone complete?")
    with Step("configure", preset):
        shell.run(["cmake", "--preset", preset], f"cmake {preset}", cwd=ROOT)
    with Step("build", preset) as step:
        _ninja(preset, step)


def jobs():
    """As many as there are processors, but no more than memory allows."""
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            available = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    return max(1, min(len(os.sched_getaffinity(0)), int(available / MEMORY_PER_JOB)))


def _ninja(preset, step):
    log = BV / "logs" / f"build-{preset}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "NINJA_STATUS": STATUS}
    with open(log, "w", encoding="utf-8") as kept, \
            subprocess.Popen(["cmake", "--build", str(build_dir(preset)), "-j", str(jobs())], cwd=ROOT, env=environment, text=True,
                             errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ninja:
        complaints = []
        for line in ninja.stdout:
            kept.write(line)
            progress = PROGRESS.match(line)
            if progress:
                step.update(f"{preset}, {progress.group(1)} of {progress.group(2)}: {_target(progress.group(3))}")
            elif line.strip() and not line.startswith("ninja: no work"):
                complaints.append(line.rstrip())
        failed = ninja.wait() != 0
    if failed:
        say("\n".join(complaints[-60:]))
        raise Failure(f"The build failed. All of its output: {log}")
    step.update(preset)


def _target(description):
    words = description.split()
    return os.path.basename(words[-1]) if words else ""


def binaries(preset, names):
    """A Failure that names the executables that were not built."""
    absent = [name for name in names if not os.access(build_dir(preset) / "bin" / name, os.X_OK)]
    if absent:
        raise Failure(f"{build_dir(preset) / 'bin'} lacks {', '.join(absent)}: "
                      "`tools/bv build` makes them (and --no-build was for what is built already).")


