"""HAProxy in front of the gateway, as deploy/edge says: TLS, HTTP/2, connections that stay, and who the client is."""

import contextlib
import json
import socket
import ssl
import unittest

from websockets.sync.client import connect

from support import edge, http, wait
from support.shop import Shop

PROXY = "127.0.0.1"
# None comes back during the test.
LIMIT = 5
SETTINGS = {"BV_HTTP_TRUSTED_PROXIES": PROXY, "BV_LIMITS_ADDRESS_RATE": "0.001", "BV_LIMITS_ADDRESS_BURST": str(LIMIT)}
SHORT = {"timeout http-request 10s": "timeout http-request 1s"}


class EdgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as parts:
            cls.gateway = parts.enter_context(edge.gateway(**SETTINGS))
            cls.edge = edge.Edge(cls.gateway, SHORT)
            parts.callback(cls.edge.close)
            cls.shop = Shop()
            parts.callback(cls.shop.close)
            cls.product = cls.shop.product(25.00, stock=10)
            cls.path = f"/api/v1/products/{cls.product['productId']}"
            cls.addClassCleanup(parts.pop_all().close)

    def ask(self, *options, path=None, address=None, url=None):
        return self.edge.get(path or self.path, "-H", f"X-Tenant-Id: {self.shop.tenant}", "--interface", address or edge.own_address(),
                             *options, url=url)

    def test_http_2_and_http_1_1(self):
        for option, version in (("--http2", "2"), ("--http1.1", "1.1")):
            with self.subTest(version):
                answer = self.ask(option)
                self.assertEqual((200, version), (answer.status, answer.headers[":version"]), str(answer))
                self.assertEqual(self.product["productId"], answer.json["productId"])
                self.assertIn("max-age=63072000", answer.headers["strict-transport-security"])
                seen = self.ask(option, "-H", f"If-None-Match: {answer.headers['etag']}")
                self.assertEqual(304, seen.status, str(seen))

    def test_plain_http_is_sent_to_tls(self):
        answer = self.ask(url=f"http://localhost:{self.edge.plain_port}")
        self.assertEqual((308, f"https://localhost:{self.edge.plain_port}{self.path}"), (answer.status, answer.headers["location"]))

    def test_old_tls_is_refused(self):
        for version, good in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            with self.subTest(version.name), socket.create_connection(("127.0.0.1", self.edge.port), timeout=10) as raw:
                context = self.edge.trust()
                context.set_ciphers("DEFAULT@SECLEVEL=0")
                context.minimum_version = context.maximum_version = version
                context.set_alpn_protocols(["h2", "http/1.1"])
                if good:
                    with context.wrap_socket(raw, server_hostname="localhost") as secured:
                        self.assertEqual("h2", secured.selected_alpn_protocol())
                else:
                    with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                        context.wrap_socket(raw, server_hostname="localhost")

    def test_a_websocket_passes(self):
        with connect(f"wss://localhost:{self.edge.port}/ws/orders", ssl=self.edge.trust(), proxy=None, open_timeout=20,
                     additional_headers={"Authorization": f"Bearer {self.shop.token()}"}) as stock:
            stock.send(json.dumps({"type": "unsubscribe", "channel": "me"}))
            self.assertEqual("error", json.loads(stock.recv(timeout=10))["type"])

    def test_an_event_stream_passes(self):
        # It says something every second; curl ends it.
        answer = self.ask("--http2", "-N", "--max-time", "3", path=f"/sse/flash-sales?tenant={self.shop.tenant}")
        self.assertEqual(200, answer.status)
        self.assertEqual("text/event-stream", answer.headers["content-type"].partition(";")[0])
        self.assertIn(":", answer.text)

    def test_who_the_client_is_cannot_be_forged(self):
        client = edge.own_address()
        statuses = [self.ask("-H", f"X-Forwarded-For: {edge.own_address()}", "-H", "Forwarded: for=192.0.2.1", address=client).status
                    for _ in range(LIMIT + 1)]
        self.assertEqual([200] * LIMIT + [429], statuses)
        refused = self.ask(address=client)
        self.assertEqual("RATE_LIMITED", refused.json["code"])
        self.assertGreater(int(refused.headers["retry-after"]), 0)
        self.assertEqual(200, self.ask().status, "another client of the same proxy")

    def test_whoever_is_no_proxy_is_not_believed(self):
        client = edge.own_address()
        direct = f"http://127.0.0.1:{self.gateway}"
        statuses = [self.ask("-H", f"X-Forwarded-For: {edge.own_address()}", address=client, url=direct).status for _ in range(LIMIT + 1)]
        self.assertEqual([200] * LIMIT + [429], statuses)

    def test_a_slow_head_is_ended(self):
        with socket.create_connection(("127.0.0.1", self.edge.port), timeout=20) as raw, \
                self.edge.trust().wrap_socket(raw, server_hostname="localhost") as secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            answer = secured.recv(4096)
            self.assertTrue(answer == b"" or b" 408 " in answer[:16], answer)

    def test_no_query_is_logged(self):
        self.ask(path=f"{self.path}?access_token=secret-of-the-query")
        wait.until(lambda: self.path in self.edge.log(), 10, "the request is logged")
        self.assertNotIn("secret-of-the-query", self.edge.log())
        for line in self.edge.log().splitlines():
            if line.startswith("{"):
                json.loads(line)


class TenantTokenTest(unittest.TestCase):
    def test_limits_of_a_token(self):
        shop = Shop()
        self.addCleanup(shop.close)
        with edge.gateway(BV_LIMITS_TOKEN_RATE="0.001", BV_LIMITS_TOKEN_BURST=str(LIMIT)) as port, \
                edge.gateway(BV_LIMITS_TOKEN_RATE="0.001", BV_LIMITS_TOKEN_BURST=str(LIMIT)) as other:
            taken = 0
            # By one replica and the other in turn, until both have heard that there are none left.
            clients = [http.Client(shop.token(), address=f"127.0.0.1:{number}") for number in (port, other)]
            refused = set()

            def ask():
                nonlocal taken
                for index, client in enumerate(clients):
                    answer = client.get("/api/v1/orders")
                    if answer.status == 429:
                        refused.add(index)
                    else:
                        taken += 1
                return len(refused) == 2
            wait.until(ask, 10, "both refuse")
            for client in clients:
                client.close()
            # A block is one, for each replica; and what was on its way.
            self.assertGreaterEqual(taken, LIMIT)
            self.assertLessEqual(taken, LIMIT + 4)


if __name__ == "__main__":
    unittest.main()
