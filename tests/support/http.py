"""REST calls to the gateway over one connection that is kept open."""

import decimal
import http.client
import json
import typing
import urllib.parse
import uuid

from support import stack


class Answer(typing.NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self):
        """The body; numbers with a fraction are exact."""
        return json.loads(self.text, parse_float=decimal.Decimal)

    def __str__(self):
        return f"{self.status} {self.text[:2000]}"


def received(connection):
    """All that comes over a socket until the other side closes or resets it."""
    answer = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            return answer
        answer += part


class Client:
    """`token` and `tenant` go with every call that does not bring its own; `address` is that of another gateway than the stack's."""

    def __init__(self, token=None, tenant=None, timeout=30, address=None):
        self.address = address or urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL")).netloc
        self._timeout = timeout
        self._connection = None
        self.token = token
        self.tenant = tenant

    def call(self, method, path, body=None, headers=None, raw=None):
        """`body` is sent as JSON, `raw` (bytes) as it is. A header of None is not sent."""
        sent = {"Authorization": self.token and f"Bearer {self.token}", "X-Tenant-Id": self.tenant}
        data = raw if raw is not None else None if body is None else json.dumps(body, default=_number).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.address, timeout=self._timeout)
        try:
            self._connection.request(method, path, data, {name: value for name, value in sent.items() if value is not None})
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def get(self, path, **kwargs):
        return self.call("GET", path, **kwargs)

    def post(self, path, body=None, headers=None, **kwargs):
        """Under a new Idempotency-Key, if `headers` bring none."""
        return self.call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})}, **kwargs)


def _number(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"{value!r} has no JSON")
