"""A client as a good one is: what got no answer, or one that says to come back, it sends again under the same key until it is answered."""

import http.client
import time

from support import wait
from support.shop import unique

COME_BACK = (429, 503, 504)


def comes_back(answer):
    """Whether it says to come back; so it is too while something else is under way with the order."""
    return answer.status in COME_BACK or (answer.status == 409 and answer.json["code"] == "ORDER_BUSY")


def post(client, path, body=None, key=None, within=60):
    """The first real answer; AssertionError when there is none in time."""
    key = key or unique("key")
    deadline = time.monotonic() + within
    pause, last = 0.05, None
    while time.monotonic() < deadline:
        try:
            last = client.post(path, body or {}, headers={"Idempotency-Key": key})
            if not comes_back(last):
                return last
        except (OSError, http.client.HTTPException) as error:
            last = repr(error)
        wait.until_time(time.monotonic() + pause)
        pause = min(0.5, pause * 2)
    raise AssertionError(f"{path}: no answer within {within:g} s, the last one was {last}")
