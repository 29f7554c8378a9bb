"""What a person sees: steps with their time, warnings, and failures that say what to do."""

import itertools
import os
import shutil
import sys
import threading
import time


class Failure(Exception):
    """Ends the command with exit code 1; the message says what is wrong and what to do."""


def _utf8():
    return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"


def _colour(code, text):
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\033[{code}m{text}\033[0m"
    return text


def bold(text):
    return _colour("1", text)


def dim(text):
    return _colour("2", text)


def green(text):
    return _colour("32", text)


def red(text):
    return _colour("31", text)


def yellow(text):
    return _colour("33", text)


def say(text=""):
    print(text, flush=True)


def note(text):
    say(dim(f"  {text}"))


def warn(text):
    say(yellow(f"! {text}"))


def duration(seconds):
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
    if seconds < 86400:
        return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02d} min"
    return f"{int(seconds) // 86400} d {int(seconds) % 86400 // 3600:02d} h"


class Step:
    """One line of progress with its elapsed time.

    On a terminal the line moves in place; elsewhere a long step says every `LOG_INTERVAL` seconds that it still works. `update`
    changes what stands behind the title.
    """

    LOG_INTERVAL = 15.0
    TITLE_WIDTH = 22

    def __init__(self, title, detail=""):
        self._title = title
        self._detail = detail
        self._started = time.monotonic()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._animate, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, _trace):
        self._done.set()
        self._thread.join()
        self._clear()
        mark = ("✓" if _utf8() else "ok") if error is None else ("✗" if _utf8() else "!!")
        mark = green(mark) if error is None else red(mark)
        if kind is KeyboardInterrupt:
            self._detail = "interrupted"
        say(f"{mark} {self._line(None)}")
        return False

    def update(self, detail):
        with self._lock:
            self._detail = detail

    def _line(self, width):
        with self._lock:
            head = f"{self._title:<{self.TITLE_WIDTH}} {duration(time.monotonic() - self._started):>12}"
            detail = self._detail if width is None else self._detail[:max(0, width - len(head) - 2)]
        return f"{head}  {dim(detail)}" if detail else head

    def _clear(self):
        if sys.stdout.isatty():
            print("\r\033[K", end="", flush=True)

    def _animate(self):
        if not sys.stdout.isatty():
            while not self._done.wait(self.LOG_INTERVAL):
                say(f"{'…' if _utf8() else '..'} {self._line(None)}")
            return
        for frame in itertools.cycle("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if _utf8() else "-\\|/"):
            width = shutil.get_terminal_size().columns - 3
            print(f"\r\033[K{frame} {self._line(width)}", end="", flush=True)
            if self._done.wait(0.1):
                return


def table(rows, headers):
    """Lines of a table; a column whose cells are all numbers is aligned to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headers)] + cells) for i in range(len(headers))]
    right = [bool(cells) and all(line[i].replace(".", "").isdigit() or line[i] in ("", "-") for line in cells)
             for i in range(len(headers))]

    def join(line):
        return "  ".join(f"{text:>{w}}" if r else f"{text:<{w}}" for text, w, r in zip(line, widths, right)).rstrip()

    return [join(list(headers))] + [join(line) for line in cells]
