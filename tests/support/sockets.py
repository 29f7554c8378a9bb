"""Those who listen to the fleet from outside, through the gateway's public port: WebSockets by a stock client, event streams by hand."""

import contextlib
import http.client
import json
import socket
import threading
import time
import typing
import urllib.parse

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from support import stack, wait

PROTOCOL = "bivouac.orders.v1"
GONE = (OSError, EOFError, ConnectionClosed, InvalidHandshake, http.client.HTTPException)


class Socket:
    """One WebSocket. `form` is how the token goes: "header", "query" or "subprotocol"."""

    def __init__(self, token=None, form="header", headers=None, **options):
        path, sent, protocols = "/ws/orders", dict(headers or {}), None
        if token and form == "header":
            sent["Authorization"] = f"Bearer {token}"
        elif token and form == "query":
            path += "?" + urllib.parse.urlencode({"access_token": token})
        elif token:
            protocols = [PROTOCOL, f"bearer.{token}"]
        self.stock = connect(stack.env("BV_GATEWAY_URL").replace("http:", "ws:") + path, additional_headers=sent, subprotocols=protocols,
                             proxy=None, open_timeout=20, close_timeout=5, **options)

    def say(self, **message):
        self.stock.send(json.dumps(message))

    def subscribe(self, order=None, after=None):
        """To an order, or to the channel of one's own."""
        target = {"orderId": order} if order else {"channel": "me"}
        self.say(type="subscribe", **target, **({} if after is None else {"after": after}))

    def next(self, within=20):
        """The next message but those that only say where one is."""
        deadline = time.monotonic() + within
        while True:
            message = json.loads(self.stock.recv(timeout=max(0, deadline - time.monotonic())))
            if message["type"] != "position":
                return message

    def events(self, count, within=20):
        """The next messages, all of which are events."""
        messages = [self.next(within) for _ in range(count)]
        if {message["type"] for message in messages} - {"event"}:
            raise AssertionError(f"not only events: {messages}")
        return messages

    def closed_with(self, within=20):
        """The code of the server's close frame, whatever comes before; None when the connection breaks without one."""
        deadline = time.monotonic() + within
        try:
            while True:
                self.stock.recv(timeout=max(0, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd and closed.rcvd.code

    def cut(self):
        """As one that ends without a word."""
        with contextlib.suppress(OSError):
            self.stock.socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.stock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Persistent:
    """A client in a thread of its own that comes back whenever its connection ends, to where it was. `ends` is why each one ended."""

    def __init__(self):
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._current = None
        self.connections = 0
        self.ends = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stop.set()
        with self._lock:
            if self._current:
                self._current.cut()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            pause = 0.05
            try:
                connection = self._connect()
                with self._lock:
                    self._current = connection
                self.connections += 1
                pause = self._listen(connection)
            except GONE as end:
                self.ends.append(end)
            self._stop.wait(pause)

    def _connect(self):
        raise NotImplementedError

    def _listen(self, connection):
        raise NotImplementedError


class OrderWatcher(_Persistent):
    """Subscribed to some orders, or to its own channel when none is named. `log` is all that it was sent, by connection."""

    def __init__(self, token, orders=()):
        super().__init__()
        self._token = token
        self._after = {order: None for order in orders or (None,)}
        self.log = []

    def messages(self, *types):
        return [message for messages in list(self.log) for message in list(messages) if message["type"] in types]

    def about(self, order):
        """Snapshots and events of an order."""
        return [message for message in self.messages("snapshot", "event") if self._order_in(message) == order]

    def _connect(self):
        return Socket(self._token)

    def _listen(self, connection):
        log = []
        self.log.append(log)
        for order, after in self._after.items():
            connection.subscribe(order, after)
        while True:
            message = json.loads(connection.stock.recv())
            log.append(message)
            if message["type"] == "reconnect":
                return message["afterMillis"] / 1000
            if message["type"] == "error":
                connection.cut()
                return 0.2
            if "seq" in message:
                self._after[None if None in self._after else self._order_in(message)] = message["seq"]

    @staticmethod
    def _order_in(message):
        if "order" in message:
            return message["order"]["orderId"]
        return message["event"]["payload"]["orderId"] if "event" in message else message.get("orderId")


class Sent(typing.NamedTuple):
    """What one event of a stream holds."""

    id: str
    name: str
    data: str


class Stream:
    """One event stream."""

    def __init__(self, path, headers=None, timeout=20):
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL")).netloc, timeout=timeout)
        self._connection.request("GET", path, headers={"Accept": "text/event-stream", **(headers or {})})
        self._socket = self._connection.sock
        self.answer = self._connection.getresponse()
        self.comments = 0
        self.retry_millis = None

    def next(self):
        """The next event; EOFError when the stream has ended."""
        fields, data = {}, []
        while True:
            line = self.answer.readline().decode()
            if not line.endswith("\n"):
                raise EOFError("the stream has ended")
            line = line.rstrip("\n")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                return Sent(fields.get("id"), fields.get("event"), "\n".join(data))
            if line.startswith(":"):
                self.comments += 1
            elif name == "data":
                data.append(value)
            elif name == "retry":
                self.retry_millis = int(value)
            elif line:
                fields[name] = value

    def cut(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.answer.close()
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()


class SaleWatcher(_Persistent):
    """Follows the flash sales of a tenant; what it saw is in `events`, by connection."""

    def __init__(self, tenant):
        super().__init__()
        self._path = "/sse/flash-sales?" + urllib.parse.urlencode({"tenant": tenant})
        self._last = None
        self.events = []

    def ids(self):
        """Of started and ended sales, each once, in the order in which they first came."""
        return list(dict.fromkeys(json.loads(sent.data)["eventId"] for events in list(self.events) for sent in list(events)
                                  if sent.name != "snapshot"))

    def _connect(self):
        stream = Stream(self._path, {"Last-Event-ID": self._last} if self._last else None)
        if stream.answer.status != 200:
            stream.cut()
            raise ConnectionError(f"answered {stream.answer.status}")
        return stream

    def _listen(self, connection):
        seen = []
        self.events.append(seen)
        while True:
            try:
                sent = connection.next()
            except GONE:
                if connection.retry_millis is None:
                    raise
                return connection.retry_millis / 1000
            seen.append(sent)
            self._last = sent.id

