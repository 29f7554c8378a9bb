"""`test` and `bench`: a stack of their own around the suites and the benchmarks."""

import os
import re
import subprocess
import sys

from . import environment, setup, stack as stacks
from .build import run as build
from .console import Failure, Step, note
from .digest import digest
from .layout import BIN, ROOT, Stack, build_dir, preset_of

# ctest labels that need no server.
ALONE = {"unit", "tidy", "proto", "fuzz"}
LOAD = ROOT / "tests" / "load"


def test(suites, sanitizer, no_build):
    """Runs the suites (ctest labels; all of them when none is named). The exit code is ctest's."""
    preset = preset_of(sanitizer)
    _prepare(preset, no_build, with_browser=not suites or "e2e" in suites, with_rules=not suites or "tidy" in suites)
    stack = Stack("test")
    if suites and set(suites) <= ALONE:
        return _ctest(suites, preset, {})
    _refuse_running(stack)
    with Step("fresh data", f"stack {stack.name}"):
        stacks.reset(stack, quiet=True)
    try:
        stacks.start(stack, "full", preset)
        note(f"logs of the fleet: {stack.logs}")
        return _ctest(suites, preset, environment.variables(stack, preset))
    finally:
        # Without a word: the verdict is what the call ends with.
        stacks.down(stack, quiet=True)


def bench(names, no_build):
    scripts = {path.stem: path for path in sorted(LOAD.glob("*.py")) if not path.name.startswith("_")}
    unknown = [name for name in names if name not in scripts]
    if unknown or not scripts:
        raise Failure(f"No benchmark {', '.join(unknown) or 'at all'} in {LOAD}; there are: {', '.join(scripts) or 'none'}.")
    _prepare("release", no_build, with_bench=True)
    stack = Stack("bench")
    _refuse_running(stack)
    stacks.reset(stack, quiet=True)
    try:
        stacks.start(stack, "full", "release")
        variables = environment.variables(stack)
        codes = [_run([sys.executable, scripts[name]], variables) for name in names or scripts]
        return max(codes)
    finally:
        stacks.down(stack, quiet=True)


def _prepare(preset, no_build, with_bench=False, with_browser=False, with_rules=False):
    with setup.exclusive():
        setup.run(bench=with_bench, browser=with_browser, rules=with_rules)
        if not no_build:
            build(preset)


def _refuse_running(stack):
    if stacks.running(stack):
        raise Failure(f"The stack `{stack.name}` runs already, perhaps under another `tools/bv {stack.name}`. "
                      f"`tools/bv down --stack {stack.name}` stops it.")


def _ctest(suites, preset, variables):
    report = build_dir(preset) / "Testing" / "report.xml"
    report.unlink(missing_ok=True)
    arguments = ["ctest", "--test-dir", build_dir(preset), "--output-on-failure", "--no-tests=error", "--output-junit", report]
    if suites:
        arguments += ["-L", "^(" + "|".join(re.escape(suite) for suite in suites) + ")$"]
    code = _run(arguments, variables)
    if report.exists():
        for line in digest(report):
            print(line, flush=True)
    return code


def _run(arguments, variables):
    """Runs in the foreground, with the stack's addresses and our tools in the environment."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("BV_")}
    own.update(variables)
    own["PATH"] = f"{BIN}{os.pathsep}{own.get('PATH', '/usr/bin:/bin')}"
    sys.stdout.flush()
    return subprocess.run([str(a) for a in arguments], env=own, cwd=ROOT, check=False).returncode
