"""Kafka read by a stock client, kcat."""

import json
import re
import subprocess
import threading
import time
import typing

from support import stack, wait

ORDERS = "ecommerce.order.order"
STOCK = "ecommerce.inventory.stock"
PRODUCTS = "ecommerce.product.product"


def topics():
    """All that the fleet makes."""
    made = (stack.ROOT / "deploy" / "kafka" / "topics.yaml").read_text(encoding="utf-8")
    return re.findall(r"^  - name: (\S+)", made, re.MULTILINE)


def exists(topic):
    listed = subprocess.run(["kcat", "-L", "-J", "-b", stack.env("BV_KAFKA_BROKERS")], stdin=subprocess.DEVNULL, capture_output=True,
                            check=False, timeout=30)
    return listed.returncode == 0 and any(each["topic"] == topic for each in json.loads(listed.stdout)["topics"])


class Message(typing.NamedTuple):
    partition: int
    offset: int
    timestamp: float  # seconds, as the producer wrote it
    key: str
    headers: typing.List[typing.Tuple[str, str]]
    value: str

    @property
    def header(self):
        return dict(self.headers)

    @property
    def json(self):
        return json.loads(self.value)


class Tail:
    """Reads a topic from a moment on (seconds since 1970; the start of the topic when none is given), in a thread of its own."""

    def __init__(self, topic, since=None):
        # Read from the beginning and filtered here: kcat's own start at a time looks up the end of a partition that has nothing newer, and
        # would miss what comes between the look-up and the first fetch.
        self._since = since or 0.0
        self._messages = []
        # -E, and metadata refreshed often: a broker that was killed comes back on the same address.
        self._kcat = subprocess.Popen(
            ["kcat", "-C", "-b", stack.env("BV_KAFKA_BROKERS"), "-t", topic, "-o", "beginning", "-J", "-u", "-q", "-E",
             "-X", "reconnect.backoff.max.ms=500", "-X", "topic.metadata.refresh.interval.ms=1000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._kcat.stdout:
            # A schema's id is bytes, which need not be UTF-8.
            message = _message(json.loads(line.decode(errors="surrogateescape")))
            if message.timestamp >= self._since:
                self._messages.append(message)

    def messages(self, key=None):
        if self._kcat.poll() is not None:
            raise AssertionError(f"kcat ended with {self._kcat.returncode}")
        found = list(self._messages)
        return found if key is None else [message for message in found if message.key == key]

    def find(self, key, within=20.0):
        """The first message with this key."""
        return wait.until(lambda: self.messages(key), within, f"a message with key {key}")[0]

    def close(self):
        self._kcat.kill()
        self._kcat.wait()
        self._thread.join()
        self._kcat.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _message(line):
    pairs = line.get("headers") or []
    return Message(line["partition"], line["offset"], line["ts"] / 1000, line["key"], list(zip(pairs[::2], pairs[1::2])),
                   line["payload"])


def now():
    """A moment to read from: a little before, because clocks are read in turn."""
    return time.time() - 1
