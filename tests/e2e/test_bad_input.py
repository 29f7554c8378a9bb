"""What strangers send: each gets its status and a problem that names the field; nothing is stored, nothing dies, memory stays flat."""

import concurrent.futures
import json
import socket
import subprocess
import unittest
import urllib.parse

from support import grpc, http, postgres, stack
from support.shop import Shop, order_body, unique

BODY_BYTES = 100 * 2**20
GROWTH_MB_MAX = 12  # of a service's resident memory over thousands of refusals
ABSENT = object()


def change(body, path, value):
    """A copy of `body` with another value at `path` ("items.0.qty"); ABSENT removes it."""
    copy = json.loads(json.dumps(body))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = copy
    for part in parents:
        place = place[part]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return copy


class BadInput(unittest.TestCase):
    """A shop in which nothing may change: every test ends with a look at rows and processes."""

    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.sku = cls.shop.product(25.00, stock=10)["sku"]
        cls.dear = cls.shop.product(9_000_000_000.00, stock=100)["sku"]
        cls.euros = cls.shop.product(1.00, stock=10, currency="EUR")["sku"]
        cls.order = order_body([(cls.sku, 1)])
        cls.pids = stack.pids()
        cls.rows = postgres.row_counts(cls.shop.tenant, read_models=False)

    def tearDown(self):
        self.assertEqual(self.rows, postgres.row_counts(self.shop.tenant, read_models=False), "something was stored")
        self.assertEqual(self.pids, stack.pids(), "a process died")

    def assert_problem(self, answer, status, code, field=None):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"], problem.get("field")), (status, code, field), answer)
        self.assertEqual(problem["type"], f"urn:bivouac:problem:{code.lower().replace('_', '-')}")
        self.assertTrue(problem["title"] and problem["detail"])
        self.assertRegex(problem["traceId"], r"^[0-9a-f]{32}$")
        if field:
            self.assertIn(field, problem["detail"])

    def order_cases(self):
        """(name, raw body, status, code, field) of POST /api/v1/orders."""
        good = json.dumps(self.order)
        yield "cut off", good[:40], 400, "MALFORMED_JSON", None
        yield "no JSON", "items=1", 400, "MALFORMED_JSON", None
        yield "two values", good + good, 400, "MALFORMED_JSON", None
        yield "no UTF-8", good.replace("Ada", "\udcff"), 400, "MALFORMED_JSON", None
        yield "a list", "[]", 400, "WRONG_TYPE", None
        yield "too deep", '{"items":' + "[" * 50 + "]" * 50 + "}", 400, "MALFORMED_JSON", None
        yield "given twice", '{"email":"a@b.example","email":"c@d.example"}', 400, "DUPLICATE_FIELD", "email"
        for path, value, status, code, field in (
                ("itmes", [], 400, "UNKNOWN_FIELD", "itmes"),
                ("items.0.price", 0.01, 400, "UNKNOWN_FIELD", "items[0].price"),
                ("userId", "bob", 400, "UNKNOWN_FIELD", "userId"),
                ("items", "one", 400, "WRONG_TYPE", "items"),
                ("items.0", 7, 400, "WRONG_TYPE", "items[0]"),
                ("items.0.qty", "2", 400, "WRONG_TYPE", "items[0].qty"),
                ("items.0.qty", 1.5, 400, "WRONG_TYPE", "items[0].qty"),
                ("items.0.qty", None, 400, "WRONG_TYPE", "items[0].qty"),
                ("items.0.qty", 10**30, 400, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", 2**63 - 1, 422, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", 10_001, 422, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", 0, 422, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", -1, 422, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", ABSENT, 422, "INVALID_VALUE", "items[0].qty"),
                ("items.0.qty", 11, 409, "OUT_OF_STOCK", "items[0].qty"),
                ("items.0.sku", ABSENT, 422, "INVALID_VALUE", "items[0]"),
                ("items.0.sku", "no such sku!", 422, "INVALID_VALUE", "items[0].sku"),
                ("items.0.sku", "'; DROP TABLE orders.orders; --", 422, "INVALID_VALUE", "items[0].sku"),
                ("items.0.sku", "X" * 65, 422, "INVALID_VALUE", "items[0].sku"),
                ("items.0.sku", "NOBODY-HAS-IT", 422, "ITEM_NOT_SOLD", "items[0]"),
                ("items.0.productId", "prd_1", 422, "INVALID_VALUE", "items[0]"),
                ("items", [], 422, "INVALID_VALUE", "items"),
                ("items", [{"sku": self.sku, "qty": 1}] * 101, 422, "INVALID_VALUE", "items"),
                ("items", [{"sku": self.dear, "qty": 10_000}] * 100, 422, "AMOUNT_TOO_LARGE", "items[0]"),
                ("items.0.sku", self.euros, 422, "CURRENCY_MISMATCH", "items[0]"),
                ("currency", "usd", 422, "INVALID_VALUE", "currency"),
                ("currency", "XXQ", 422, "INVALID_VALUE", "currency"),
                ("paymentMethod", "IOU", 400, "INVALID_VALUE", "paymentMethod"),
                ("paymentMethod", ABSENT, 422, "INVALID_VALUE", "paymentMethod"),
                ("shippingAddress", ABSENT, 422, "INVALID_VALUE", "shippingAddress"),
                ("shippingAddress.name", "", 422, "INVALID_VALUE", "shippingAddress.name"),
                ("shippingAddress.city", "x" * 101, 422, "INVALID_VALUE", "shippingAddress.city"),
                ("shippingAddress.countryCode", "Germany", 422, "INVALID_VALUE", "shippingAddress.countryCode"),
                ("shippingAddress.phone", "0800", 422, "INVALID_VALUE", "shippingAddress.phone"),
                ("email", "ada", 422, "INVALID_VALUE", "email"),
                ("email", ABSENT, 422, "INVALID_VALUE", "email"),
                ("email", "ada@\u0000.example", 400, "MALFORMED_JSON", None),
                ("cartId", "crt_00000000000000000000000000", 422, "INVALID_VALUE", "items")):
            shown = "absent" if value is ABSENT else repr(value)[:40]
            yield f"{path} {shown}", json.dumps(change(self.order, path, value)), status, code, field

    def send_orders(self):
        for name, raw, status, code, field in self.order_cases():
            answer = self.shop.customer.post("/api/v1/orders", raw=raw.encode("utf-8", "surrogateescape"))
            yield name, answer, status, code, field

    def test_orders(self):
        for name, answer, status, code, field in self.send_orders():
            with self.subTest(name):
                self.assert_problem(answer, status, code, field)

    def test_products(self):
        variant = {"sku": unique("SKU").upper(), "price": 10.00, "currency": "USD"}
        product = {"title": "T", "variants": [variant]}
        for path, value, status, code, field in (
                ("title", "", 422, "INVALID_VALUE", "title"),
                ("title", "x" * 201, 422, "INVALID_VALUE", "title"),
                ("title", 5, 400, "WRONG_TYPE", "title"),
                ("variants", [], 422, "INVALID_VALUE", "variants"),
                ("variants.0.price", -0.01, 422, "INVALID_VALUE", "variants[0].price"),
                ("variants.0.price", 10_000_000_000.01, 422, "INVALID_VALUE", "variants[0].price"),
                ("variants.0.price", 10**25, 400, "INVALID_VALUE", "variants[0].price"),
                ("variants.0.price", 1.999, 400, "INVALID_VALUE", "variants[0].price"),
                ("variants.0.price", "10.00", 400, "WRONG_TYPE", "variants[0].price"),
                ("variants.0.currency", ABSENT, 400, "INVALID_VALUE", "variants[0].price"),
                ("variants.0.compareAtPrice", 9.00, 422, "INVALID_VALUE", "variants[0].compareAtPrice"),
                ("variants.0.sku", "a b", 422, "INVALID_VALUE", "variants[0].sku"),
                ("variants.0.sku", self.sku, 409, "SKU_TAKEN", "variants[0].sku"),
                ("variants", [variant, variant], 409, "SKU_TAKEN", "variants[1].sku")):
            with self.subTest(f"{path} {'absent' if value is ABSENT else repr(value)[:40]}"):
                answer = self.shop.staff.post("/api/v1/products", change(product, path, value))
                self.assert_problem(answer, status, code, field)

    def test_adjustments(self):
        adjustment = {"delta": 1, "reason": "RECEIVED", "locationCode": "MAIN"}
        for path, value, status, code, field in (
                ("delta", 0, 422, "INVALID_VALUE", "delta"),
                ("delta", 10**9 + 1, 422, "INVALID_VALUE", "delta"),
                ("delta", 10**19, 400, "INVALID_VALUE", "delta"),
                ("delta", -11, 409, "STOCK_NEGATIVE", None),
                ("reason", "no good", 422, "INVALID_VALUE", "reason"),
                ("locationCode", "x" * 33, 422, "INVALID_VALUE", "locationCode"),
                ("sku", "OTHER", 400, "INVALID_VALUE", "sku")):
            with self.subTest(f"{path} {value!r}"):
                answer = self.shop.staff.post(f"/api/v1/inventory/{self.sku}/adjustments", change(adjustment, path, value))
                if field is None:
                    self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
                else:
                    self.assert_problem(answer, status, code, field)
        answer = self.shop.staff.post("/api/v1/inventory/NOBODY-HAS-IT/adjustments", adjustment)
        self.assert_problem(answer, 422, "SKU_UNKNOWN", "sku")

    def test_paths_queries_and_headers(self):
        customer, key = self.shop.customer, {"Idempotency-Key": "k" * 256}
        for name, answer, status, code, field in (
                ("no such route", customer.get("/api/v2/orders"), 404, "ROUTE_NOT_FOUND", None),
                ("dots", customer.get("/api/v1/orders/../../etc/passwd"), 404, "ROUTE_NOT_FOUND", None),
                ("wrong method", customer.call("DELETE", "/api/v1/orders"), 405, "METHOD_NOT_ALLOWED", None),
                ("no order id", customer.get("/api/v1/orders/1"), 404, "ORDER_NOT_FOUND", None),
                ("unknown order", customer.get("/api/v1/orders/ord_00000000000000000000000000"), 404, "ORDER_NOT_FOUND", None),
                ("unknown product", customer.get("/api/v1/products/prd_00000000000000000000000000"), 404, "PRODUCT_NOT_FOUND", None),
                ("never stocked", customer.get("/api/v1/inventory/NOBODY-HAS-IT"), 404, "SKU_NOT_FOUND", None),
                ("bad escape", customer.get("/api/v1/products/%zz"), 400, "MALFORMED_PATH", "productId"),
                ("unknown parameter", customer.get("/api/v1/orders?colour=red"), 400, "UNKNOWN_FIELD", "colour"),
                ("page size", customer.get("/api/v1/orders?pageSize=many"), 400, "WRONG_TYPE", "pageSize"),
                ("page size", customer.get("/api/v1/orders?pageSize=101"), 400, "INVALID_VALUE", "pageSize"),
                ("page token", customer.get("/api/v1/orders?pageToken=x"), 400, "INVALID_VALUE", "pageToken"),
                ("key too long", customer.post("/api/v1/orders", self.order, headers=key), 400, "INVALID_HEADER", "Idempotency-Key"),
                ("form", customer.post("/api/v1/orders", self.order, headers={"Content-Type": "application/x-www-form-urlencoded"}),
                 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type")):
            with self.subTest(name):
                self.assert_problem(answer, status, code, field)

    def token_cases(self):
        token = self.shop.token
        good = token()
        head, claims, signature = good.split(".")
        yield "no token", None, 401, "TOKEN_MISSING"
        yield "no JWT", "abc", 401, "TOKEN_MALFORMED"
        yield "expired", token(lifetime=-120), 401, "TOKEN_EXPIRED"
        yield "not yet valid", token(nbf=2**33), 401, "TOKEN_NOT_YET_VALID"
        yield "another key", token(key=b"0" * 32), 401, "TOKEN_SIGNATURE"
        yield "changed claims", ".".join((head, token("ADMIN").split(".")[1], signature)), 401, "TOKEN_SIGNATURE"
        yield "no signature", f"{head}.{claims}.", 401, None
        yield "algorithm none", token(header={"alg": "none"}).rpartition(".")[0] + ".", 401, None
        yield "unknown key id", token(header={"kid": "other"}), 401, None
        yield "another issuer", token(iss="https://evil.example"), 401, None
        yield "another audience", token(aud="else"), 401, None
        yield "no expiry", token(exp=None), 401, None
        yield "no tenant", token(tenant=None), 401, None
        yield "unknown role", token("ROOT"), 401, None

    def test_tokens(self):
        for name, token, status, code in self.token_cases():
            with self.subTest(name):
                answer = self.shop.customer.post("/api/v1/orders", self.order,
                                                 headers={"Authorization": token and f"Bearer {token}"})
                self.assertEqual(answer.status, status, answer)
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
                self.assert_problem(answer, status, answer.json["code"])
                if code in ("TOKEN_MISSING", "TOKEN_EXPIRED", "TOKEN_MALFORMED"):
                    self.assertEqual(answer.json["code"], code)
                self.assertEqual(grpc.call("order", "commerce.order.v1.Orders/ListOrders", {}, token).code, "UNAUTHENTICATED")

    def test_rights(self):
        product = {"title": "T", "variants": [{"sku": unique("SKU").upper(), "price": 1, "currency": "USD"}]}
        self.assert_problem(self.shop.customer.post("/api/v1/products", product), 403, "ROLE_NOT_ALLOWED")
        adjustment = self.shop.customer.post(f"/api/v1/inventory/{self.sku}/adjustments", {"delta": 1, "reason": "X"})
        self.assert_problem(adjustment, 403, "ROLE_NOT_ALLOWED")
        other = self.shop.customer.post("/api/v1/orders", self.order, headers={"X-Tenant-Id": "other"})
        self.assert_problem(other, 403, "TENANT_MISMATCH", "X-Tenant-Id")
        self.assert_problem(self.shop.anyone.get(f"/api/v1/inventory/{self.sku}", headers={"X-Tenant-Id": None}), 400,
                            "TENANT_MISSING", "X-Tenant-Id")

    # Size and speed

    def send(self, data, timeout=40):
        """Sends bytes on a connection of their own; returns what comes back until it is closed."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass  # refused before everything was sent: the answer says why
            return http.received(connection).decode(errors="replace")

    def connect(self, timeout=40):
        address = urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL"))
        return socket.create_connection((address.hostname, address.port), timeout=timeout)

    def head(self, *lines):
        return "\r\n".join(("POST /api/v1/orders HTTP/1.1", "Host: x", f"Authorization: Bearer {self.shop.token()}",
                            "Content-Type: application/json", *lines, "", "")).encode()

    def curl_100_mb(self, *arguments):
        """The status that curl gets for 100 MB of blanks."""
        blanks = subprocess.Popen(["head", "-c", str(BODY_BYTES), "/dev/zero"], stdout=subprocess.PIPE)
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60", "-X", "POST", "-T", "-", *arguments,
             "-H", f"Authorization: Bearer {self.shop.token()}", "-H", "Content-Type: application/json",
             f"{stack.env('BV_GATEWAY_URL')}/api/v1/orders"], stdin=blanks.stdout, stdout=subprocess.PIPE, text=True, check=False)
        blanks.stdout.close()
        blanks.wait()
        return done.stdout

    def test_a_body_of_100_mb(self):
        before = stack.resident_mb(self.pids["gateway"])
        length = f"Content-Length: {BODY_BYTES}"
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            chunked = list(pool.map(lambda _: self.curl_100_mb(), range(4)))
            declared = list(pool.map(lambda _: self.curl_100_mb("-H", length, "-H", "Transfer-Encoding:", "-H", "Expect:"), range(4)))
            waiting = list(pool.map(lambda _: self.send(self.head(length, "Expect: 100-continue"))[:12], range(4)))
        self.assertEqual(chunked + declared, ["413"] * 8)
        self.assertEqual(waiting, ["HTTP/1.1 413"] * 4)
        self.assertLess(stack.resident_mb(self.pids["gateway"]) - before, 30)
        self.assertEqual(self.shop.customer.get("/api/v1/orders").status, 200)

    def test_a_body_of_100_mb_over_grpc(self):
        answer = grpc.call("order", "commerce.order.v1.Orders/CreateOrder", {"email": "x" * 3_000_000}, self.shop.token())
        self.assertEqual(answer.code, "RESOURCE_EXHAUSTED", answer)

    def test_header_and_garbage(self):
        for name, data, status in (
                ("headers", self.head("X-Long: " + "x" * 20_000), "431"),
                ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", "400"),
                ("no length that is one", self.head("Content-Length: -5"), "400"),
                ("length and chunks", self.head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", "400"),
                ("unknown method", b"BREW /api/v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", None),
                ("version", b"GET / HTTP/3.7\r\nHost: x\r\n\r\n", None)):
            with self.subTest(name):
                answer = self.send(data)
                self.assertRegex(answer, rf"^HTTP/1\.1 {status or '(400|405|501|505)'} ")
                self.assertIn("application/problem+json", answer)

    def test_slow_senders(self):
        with self.connect() as in_head, self.connect() as in_body, self.connect() as silent_body:
            in_head.sendall(b"POST /api/v1/orders HTTP/1.1\r\nHost: x")
            in_body.sendall(self.head("Content-Length: 1000") + b"{")
            silent_body.sendall(self.head("Content-Length: 1000"))
            # A byte now and then, as an attacker keeps a connection busy.
            answers = {}
            for connection in (in_head, in_body, silent_body):
                connection.settimeout(0.25)
            open_connections = {"head": in_head, "body": in_body, "silent": silent_body}
            for _ in range(160):
                for name, connection in list(open_connections.items()):
                    try:
                        if name != "silent":
                            connection.sendall(b"x")
                        answers[name] = connection.recv(65536).decode()
                        del open_connections[name]
                    except socket.timeout:
                        pass
                    except OSError:
                        del open_connections[name]
                if not open_connections:
                    break
        self.assertEqual({name: answer[:12] for name, answer in answers.items()},
                         {name: "HTTP/1.1 408" for name in ("head", "body", "silent")})

    # gRPC

    def test_grpc(self):
        good = {"items": [{"sku": self.sku, "qty": 1}], "paymentMethod": "PAYMENT_METHOD_CARD",
                "shippingAddress": self.order["shippingAddress"], "email": "ada@example.com"}
        create, adjust = "commerce.order.v1.Orders/CreateOrder", "commerce.inventory.v1.Inventory/AdjustStock"
        reserve = "commerce.inventory.v1.Inventory/ReserveStock"
        customer, staff = self.shop.token(), self.shop.token("STAFF")
        lines = {"reservationId": "bad-1", "lines": [{"sku": self.sku, "qty": 1}]}
        for service, method, request, token, code, field in (
                ("order", create, change(good, "items.0.qty", 0), customer, "INVALID_ARGUMENT", "items[0].qty"),
                ("order", create, change(good, "items.0.qty", 2**63 - 1), customer, "INVALID_ARGUMENT", "items[0].qty"),
                ("order", create, change(good, "items.0.qty", 11), customer, "FAILED_PRECONDITION", "items[0].qty"),
                ("order", create, change(good, "paymentMethod", 99), customer, "INVALID_ARGUMENT", "paymentMethod"),
                ("order", create, change(good, "email", "ada"), customer, "INVALID_ARGUMENT", "email"),
                ("order", create, change(good, "shippingAddress", ABSENT), customer, "INVALID_ARGUMENT", "shippingAddress"),
                ("order", create, change(good, "items.0.sku", "NOBODY"), customer, "INVALID_ARGUMENT", "items[0]"),
                ("order", create, good, self.shop.token("SERVICE"), "PERMISSION_DENIED", ""),
                ("order", "commerce.order.v1.Orders/GetOrder", {"orderId": "1"}, customer, "NOT_FOUND", ""),
                ("inventory", reserve, change(lines, "lines.0.qty", -1), customer, "INVALID_ARGUMENT", "lines[0].qty"),
                ("inventory", reserve, change(lines, "lines", []), customer, "INVALID_ARGUMENT", "lines"),
                ("inventory", reserve, change(lines, "reservationId", ""), customer, "INVALID_ARGUMENT", "reservationId"),
                ("inventory", reserve, {**lines, "holdSeconds": -1}, customer, "INVALID_ARGUMENT", "holdSeconds"),
                ("inventory", adjust, {"sku": self.sku, "delta": 0, "reason": "X"}, staff, "INVALID_ARGUMENT", "delta"),
                ("inventory", adjust, {"sku": self.sku, "delta": -11, "reason": "X"}, staff, "FAILED_PRECONDITION", None),
                ("product", "commerce.product.v1.Products/CreateProduct", {"title": ""}, staff, "INVALID_ARGUMENT", None),
                ("product", "commerce.product.v1.Products/GetProduct", {"productId": "1"}, customer, "NOT_FOUND", ""),
                ("cart", "commerce.cart.v1.Carts/GetCart", {"cartId": "1"}, customer, "NOT_FOUND", "")):
            with self.subTest(f"{method} {json.dumps(request)[:60]}"):
                answer = grpc.call(service, method, request, token)
                self.assertEqual(answer.code, code, answer)
                if field is not None:
                    self.assertEqual(answer.field, field, answer)

    def test_grpc_frames_that_no_client_makes(self):
        token = self.shop.token()
        no_message, no_utf8 = b"\xff" * 100, b"\x3a\x03\xff\xfe\xfd"  # field 7, email
        for message in (no_message, no_utf8):
            code = grpc.raw("order", "commerce.order.v1.Orders/CreateOrder", message, token)
            self.assertEqual(code, "INVALID_ARGUMENT")

    # Everything again and again

    def test_memory_stays_flat(self):
        services = stack.SERVICES
        for _ in self.send_orders():  # the first round fills caches
            pass
        before = {name: stack.resident_mb(self.pids[name]) for name in services}
        requests = sum(1 for _ in range(40) for _ in self.send_orders())
        self.assertGreater(requests, 1500)
        growth = {name: round(stack.resident_mb(self.pids[name]) - before[name], 1) for name in services}
        self.assertEqual({}, {name: grown for name, grown in growth.items() if grown > GROWTH_MB_MAX})


if __name__ == "__main__":
    unittest.main()
