"""Requests that two readers could read in two ways, and paths that mean another one: each is one request here, or none."""

import json
import re
import socket
import unittest
import urllib.parse

from support import http, postgres, stack
from support.shop import Shop, order_body, unique

# (what it plays with, header lines, what stands between head and the hidden request)
ATTACKS = (
    ("length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    ("chunks and length", ["Transfer-Encoding: chunked", "Content-Length: 5"], "0\r\n\r\n"),
    ("two lengths", ["Content-Length: 2", "Content-Length: 0"], "{}"),
    ("one length twice", ["Content-Length: 2", "Content-Length: 2"], "{}"),
    ("a list of lengths", ["Content-Length: 2, 0"], "{}"),
    ("a length with a sign", ["Content-Length: +2"], "{}"),
    ("a length in hexadecimal", ["Content-Length: 0x2"], "{}"),
    ("a length with more behind it", ["Content-Length: 2 0"], "{}"),
    ("a length without a number", ["Content-Length:"], ""),
    ("a length beyond 64 bits", ["Content-Length: 18446744073709551618"], "{}"),
    ("chunks twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    ("chunks, and then not", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"),
    ("chunks that are another word", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"),
    ("chunks in quotes", ["Transfer-Encoding: \"chunked\""], "0\r\n\r\n"),
    ("chunks of an old client", ["Transfer-Encoding: identity", "Content-Length: 0"], ""),
    ("a blank before the colon", ["Transfer-Encoding : chunked"], "0\r\n\r\n"),
    ("a tab before the colon", ["Content-Length\t: 2"], "{}"),
    ("a name with a control character", ["Content\x0b-Length: 2"], "{}"),
    ("a value with a zero byte", ["X-A: a\0b"], ""),
    ("a line end without a carriage return, twice", ["X-A: b\n\nGET /healthz HTTP/1.1"], ""),
    ("a carriage return within a line", ["X-A: b\rContent-Length: 2"], "{}"),
    ("a chunk's size with a sign", ["Transfer-Encoding: chunked"], "+0\r\n\r\n"),
    ("a chunk's size in C", ["Transfer-Encoding: chunked"], "0x0\r\n\r\n"),
    ("a chunk's size beyond 64 bits", ["Transfer-Encoding: chunked"], "10000000000000000\r\n\r\n"),
    ("a chunk's size below zero", ["Transfer-Encoding: chunked"], "-1\r\n\r\n"),
    ("a chunk longer than it says", ["Transfer-Encoding: chunked"], "1\r\n{}\r\n0\r\n\r\n"),
    ("a chunk's line without its end", ["Transfer-Encoding: chunked"], "0\n\n"),
)
# Each is no route: the gateway takes paths as they are written, and resolves nothing in them.
PATHS = ("/api/v1/orders/../inventory/SKU", "/api/v1/./orders", "/api//v1/orders", "//api/v1/orders", "/api/v1/orders/", "/api/v1/orders%2f",
         "/api/v1/%6frders", "/api/v1/orders;a=b", "/API/v1/orders", "/api/v1/orders%00", "/api/v1\\orders", "/ws/../api/v1/orders",
         "/api/v1/orders/..", "/%2e%2e/api/v1/orders", "/healthz/../api/v1/orders", "/api/v1/products/..%2f..%2fhealthz/x")


class Smuggling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.sku = cls.shop.product(1.00, stock=100)["sku"]
        address = urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL"))
        cls.address = address.hostname, address.port

    def orders(self):
        return postgres.value(f"SELECT count(*) FROM orders.orders WHERE tenant_id = '{self.shop.tenant}'")

    def talk(self, data, ends=False):
        """The statuses that come back until the gateway closes. A client that has ended its side gets no answer that takes long: it may be gone."""
        with socket.create_connection(self.address, timeout=20) as connection:
            try:
                connection.sendall(data.encode("latin-1"))
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before everything was sent
            return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", http.received(connection))]

    def head(self, line, *headers):
        return "\r\n".join((line, "Host: shop.example", f"Authorization: Bearer {self.shop.token()}", f"Idempotency-Key: {unique('key')}",
                            "Content-Type: application/json", *headers, "", ""))

    def order(self):
        body = json.dumps(order_body([(self.sku, 1)]))
        return self.head("POST /api/v1/orders HTTP/1.1", f"Content-Length: {len(body)}", "Connection: close") + body

    def test_what_is_hidden_would_be_seen(self):
        before = self.orders()
        self.assertEqual([201], self.talk(self.order()))
        self.assertEqual([200, 201], self.talk(self.head("GET /api/v1/orders HTTP/1.1") + self.order()))
        self.assertEqual(before + 2, self.orders())

    def test_nothing_is_hidden_in_a_request(self):
        before = self.orders()
        for name, headers, between in ATTACKS:
            for line in ("POST /api/v1/carts HTTP/1.1", "GET /api/v1/orders HTTP/1.1"):
                with self.subTest(f"{name}: {line}"):
                    statuses = self.talk(self.head(line, *headers) + between + self.order(), ends=True)
                    self.assertEqual(1, len(statuses), statuses)
                    self.assertIn(statuses[0], (400, 431, 501))
        self.assertEqual(before, self.orders())

    def test_nothing_goes_through_a_tunnel_but_what_it_is_for(self):
        """A tunnel is for one client, so what it hides is its own; but what is behind must not wait for the rest of a body."""
        before = self.orders()
        upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        for name, headers, between in (("empty chunks", ["Transfer-Encoding: chunked"], "0\r\n\r\n"), ("no length", ["Content-Length: 0"], "")):
            with self.subTest(name):
                statuses = self.talk(self.head("GET /ws/nothing HTTP/1.1", *upgrade, *headers) + between, ends=True)
                self.assertEqual([404], statuses)
        # With a body it is no upgrade, and a request as any other.
        self.assertEqual([404], self.talk(self.head("GET /ws/nothing HTTP/1.1", *upgrade, "Content-Length: 2", "Connection: close") + "{}"))
        self.assertEqual(before, self.orders())

    def test_nothing_behind_the_last_chunk_is_a_header(self):
        """Whoever stands in front looks at headers only: who is called, and by whom, cannot be said behind the body."""
        before = self.orders()
        body = json.dumps(order_body([(self.sku, 1)]))
        head = "\r\n".join(("POST /api/v1/orders HTTP/1.1", "Host: shop.example", "Content-Type: application/json", "Connection: close",
                            "Transfer-Encoding: chunked", "", ""))
        late = f"Authorization: Bearer {self.shop.token()}\r\nIdempotency-Key: {unique('key')}\r\n"
        self.assertEqual([401], self.talk(f"{head}{len(body):x}\r\n{body}\r\n0\r\n{late}\r\n"))
        self.assertEqual(before, self.orders())

    def test_a_path_is_what_is_written(self):
        for path in PATHS:
            with self.subTest(path):
                self.assertEqual([404], self.talk(self.head(f"GET {path} HTTP/1.1", "Connection: close")))
        for target, status in (("*", 400), ("orders", 400), ("/api/v1/orders HTTP/1.1 x", 505), ("http://other.example/api/v1/orders", 200)):
            with self.subTest(target):
                self.assertEqual([status], self.talk(self.head(f"GET {target} HTTP/1.1", "Connection: close")))


if __name__ == "__main__":
    unittest.main()
