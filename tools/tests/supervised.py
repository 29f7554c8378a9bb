"""A supervisor of processes that only sleep; started by the tests with the stack's parent folder and the failing exit code."""

import pathlib
import sys

import context  # noqa: F401
from bvtool.layout import Stack
from bvtool.specs import Spec
from bvtool.supervisor import Supervisor

SLEEP = ["sleep", "600"]


def fake(stack, name, port, command, **more):
    return Spec(name, command, {port: name}, ready=lambda: not (stack.dir / f"{name}.unready").exists(), probe_interval=0.05, **more)


def main():
    stack = Stack("unit", pathlib.Path(sys.argv[1]))
    stack.logs.mkdir(parents=True, exist_ok=True)
    last = ["sh", "-c", f"echo cannot; exit {sys.argv[2]}"] if len(sys.argv) > 2 else SLEEP
    wanted = [fake(stack, "server", 1, SLEEP), fake(stack, "one", 2, SLEEP, needs=("server",), is_service=True),
              fake(stack, "two", 3, last, needs=("one",), is_service=True)]
    if (stack.dir / "aside.unready").exists():
        wanted.append(fake(stack, "aside", 4, ["false"], awaited=False))
    return Supervisor(stack, wanted, "core", "release").run()


if __name__ == "__main__":
    sys.exit(main())
