"""Waiting: for a condition, with a deadline. Nothing else in the tests pauses."""

import threading
import time

_pause = threading.Event()  # never set: its wait is a pause that costs nothing


def until(condition, within=20.0, what="the condition", every=0.05):
    """The first true value of `condition()`; AssertionError when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not so within {within:g} s")
        _pause.wait(every)


def until_time(moment):
    """Returns at `moment` of the monotonic clock; for load at a fixed rate, never to give something time to happen."""
    while True:
        left = moment - time.monotonic()
        if left <= 0:
            return
        _pause.wait(left)
