"""Waiting for a condition in tests."""

import threading
import time


def wait_for(condition, within=20.0):
    """The first true value of `condition()`; fails when there is none in time."""
    pause = threading.Event()
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        pause.wait(0.02)
    raise AssertionError(f"not so within {within} s")
