"""Customers who order without pause, and what became of each order."""

import http.client
import threading
import time
import typing

from support import http as rest
from support import wait
from support.shop import order_body, unique


class Attempt(typing.NamedTuple):
    """One request and its end. `status` is None when the connection ended without an answer."""

    at: float  # seconds since 1970, at its end
    key: str
    status: typing.Optional[int]
    text: str
    retry_after: typing.Optional[str] = None
    latency: float = 0.0  # seconds


class Customers:
    """`count` customers of a shop, each on a connection of their own, order one piece at a time, of `skus` in turn. As a good client does,
    each repeats a request that got 503 or no answer with the same Idempotency-Key until it is answered."""

    def __init__(self, shop, skus, count=6):
        self._shop = shop
        self._skus = skus
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._attempts = []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the load; what is under way is brought to its end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def attempts(self):
        with self._lock:
            return list(self._attempts)

    def placed(self):
        """{key: order id} of what was answered 201."""
        return {attempt.key: attempt.text for attempt in self.attempts() if attempt.status == 201}

    def await_placed(self, more, within=60):
        """Waits for `more` further orders."""
        goal = len(self.placed()) + more
        wait.until(lambda: len(self.placed()) >= goal, within, f"{more} more orders")

    def _run(self, number):
        client = rest.Client(self._shop.token(user=f"customer-{number}"), timeout=30)
        turn = number
        while not self._stop.is_set():
            turn += 1
            self._order(client, self._skus[turn % len(self._skus)], unique("key"))
        client.close()

    def _order(self, client, sku, key):
        """Until it is answered; a minute at most, so that a fleet that stays away ends the test."""
        deadline = time.monotonic() + 60
        pause = 0.05
        while time.monotonic() < deadline:
            attempt = self._attempt(client, sku, key)
            with self._lock:
                self._attempts.append(attempt)
            if attempt.status is not None and attempt.status not in (503, 504):
                return
            wait.until_time(time.monotonic() + pause)
            pause = min(1.0, pause * 2)

    def _attempt(self, client, sku, key):
        start = time.monotonic()
        try:
            answer = client.post("/api/v1/orders", order_body([(sku, 1)]), headers={"Idempotency-Key": key})
            text = answer.json["orderId"] if answer.status == 201 else answer.text
            return Attempt(time.time(), key, answer.status, text, answer.headers["Retry-After"], time.monotonic() - start)
        except ConnectionRefusedError:
            return Attempt(time.time(), key, None, "refused")
        except (OSError, http.client.HTTPException) as error:
            return Attempt(time.time(), key, None, f"lost: {error!r}")
