"""What holds for every REST route: tags and preconditions, sparse fields, pages, compression, caches, OPTIONS. The contract says which
routes there are."""

import concurrent.futures
import gzip
import http.client
import re
import unittest

from support import contract, edge, http as rest
from support.shop import Shop

PAGE_MAX = 1000


def routes():
    return [method for method in contract.methods() if method.http and not method.service.startswith("commerce.replay.")]


def filled(path):
    return re.sub(r"\{[^}]*\}", "x", path)


class ConventionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.product = cls.shop.product(25.00, stock=10)
        cls.path = f"/api/v1/products/{cls.product['productId']}"

    def test_what_was_seen_is_not_sent_again(self):
        first = self.shop.anyone.get(self.path)
        tag = first.headers["ETag"]
        self.assertRegex(tag, r'^"1-[0-9a-f]{16}"$')
        seen = self.shop.anyone.get(self.path, headers={"If-None-Match": tag})
        self.assertEqual((304, ""), (seen.status, seen.text))
        changed = self.shop.must(200, self.shop.staff.call("PATCH", self.path, {"description": "Another."}))
        self.assertEqual(200, self.shop.anyone.get(self.path, headers={"If-None-Match": tag}).status)
        self.assertEqual(changed["version"], self.shop.anyone.get(self.path).json["version"])

    def test_of_many_updates_of_one_version_one_comes_through(self):
        product = self.shop.product(10.00)
        path = f"/api/v1/products/{product['productId']}"
        tag = self.shop.staff.get(path).headers["ETag"]

        def update(number):
            client = rest.Client(self.shop.token("STAFF", "sam"))
            try:
                return client.call("PATCH", path, {"title": f"By {number}"}, {"If-Match": tag})
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(update, range(8)))
        self.assertEqual([200] + [412] * 7, sorted(answer.status for answer in answers), [str(answer) for answer in answers])
        self.assertEqual({"VERSION_CONFLICT"}, {answer.json["code"] for answer in answers if answer.status == 412})
        (done,) = [answer for answer in answers if answer.status == 200]
        self.assertEqual(done.json["title"], self.shop.anyone.get(path).json["title"])
        again = self.shop.staff.call("PATCH", path, {"title": "Next"}, {"If-Match": done.headers["ETag"]})
        self.assertEqual(200, again.status, "the answer's own tag is the next precondition")

    def test_a_precondition_that_no_service_keeps_is_refused(self):
        answer = self.shop.staff.post(f"/api/v1/inventory/{self.product['sku']}/adjustments", {"delta": 1, "reason": "RECEIVED"},
                                      headers={"If-Match": '"1-0"'})
        self.assertEqual((400, "PRECONDITION_NOT_SUPPORTED"), (answer.status, answer.json["code"]))

    def test_sparse_fields(self):
        answer = self.shop.anyone.get(f"{self.path}?fields=title,variants.price")
        self.assertEqual({"title": self.product["title"], "variants": [{"price": 25}]}, answer.json)
        page = self.shop.anyone.get("/api/v1/products?fields=products.productId,nextPageToken&pageSize=1").json
        self.assertEqual(({"products", "nextPageToken"}, {"productId"}), (set(page), set(page["products"][0])))
        for method in routes():
            if method.http[0] != "GET":
                continue
            with self.subTest(method.http[1]):
                client = rest.Client(self.shop.token("ADMIN"))
                answer = client.get(f"{filled(method.http[1])}?fields=nope")
                client.close()
                self.assertEqual((400, "UNKNOWN_FIELD"), (answer.status, answer.json["code"]), str(answer))
                self.assertIn("nope", answer.json["detail"])

    def test_pages_have_limits(self):
        admin = rest.Client(self.shop.token("ADMIN"))
        self.addCleanup(admin.close)
        paged = {f"{file['package']}.{message['name']}" for file in contract.files() for message in file.get("messageType", [])
                 if any(field["name"] == "next_page_token" for field in message.get("field", []))}
        # What belongs to something that is not there is 404.
        lists = [method for method in routes() if method.response in paged and "{" not in method.http[1]]
        self.assertGreater(len(lists), 5)
        for method in lists:
            path = filled(method.http[1])
            with self.subTest(path):
                for query, field in (("pageSize=-1", "pageSize"), (f"pageSize={PAGE_MAX + 1}", "pageSize"), ("pageToken=nope", "pageToken")):
                    answer = admin.get(f"{path}?{query}")
                    self.assertEqual((400, field), (answer.status, answer.json.get("field")), f"{query}: {answer}")

    def test_long_answers_are_compressed(self):
        for _ in range(6):
            self.shop.product(5.00)
        connection = http.client.HTTPConnection(self.shop.anyone.address, timeout=20)
        self.addCleanup(connection.close)
        bodies = {}
        for coding in ("identity", "gzip"):
            connection.request("GET", "/api/v1/products", headers={"X-Tenant-Id": self.shop.tenant, "Accept-Encoding": coding})
            answer = connection.getresponse()
            self.assertEqual(200, answer.status)
            self.assertIn("Accept-Encoding", answer.headers["Vary"])
            self.assertEqual(None if coding == "identity" else "gzip", answer.headers["Content-Encoding"])
            bodies[coding] = answer.read()
        self.assertEqual(bodies["identity"], gzip.decompress(bodies["gzip"]))
        self.assertLess(len(bodies["gzip"]), len(bodies["identity"]) / 2)

    def test_only_public_reads_may_be_kept(self):
        for path in (self.path, "/api/v1/products", "/api/v1/products:search?q=x", "/api/v1/categories", f"/api/v1/inventory/{self.product['sku']}"):
            with self.subTest(path):
                self.assertRegex(self.shop.anyone.get(path).headers["Cache-Control"], r"^public, max-age=\d+, s-maxage=\d+, stale-while-revalidate=\d+$")
                self.assertEqual("private, no-store", self.shop.staff.get(path).headers["Cache-Control"])
        self.assertEqual("private, no-store", self.shop.customer.get("/api/v1/orders").headers["Cache-Control"])

    def test_every_path_says_what_it_has(self):
        methods = {}
        for method in routes():
            methods.setdefault(filled(method.http[1]), set()).add(method.http[0])
        for path, has in methods.items():
            with self.subTest(path):
                answer = self.shop.anyone.call("OPTIONS", path)
                # A literal may stand where another path has a variable.
                self.assertEqual(204, answer.status)
                self.assertLessEqual(has | {"OPTIONS"}, set(answer.headers["Allow"].split(", ")))
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_pages_of_named_origins_may_call(self):
        with edge.gateway(BV_CORS_ORIGINS="https://shop.example") as port:
            client = rest.Client(tenant=self.shop.tenant, address=f"127.0.0.1:{port}")
            self.addCleanup(client.close)
            answer = client.call("OPTIONS", self.path, headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH"})
            self.assertEqual((204, "https://shop.example"), (answer.status, answer.headers["Access-Control-Allow-Origin"]))
            self.assertIn("PATCH", answer.headers["Access-Control-Allow-Methods"])
            other = client.get(self.path, headers={"Origin": "https://other.example"})
            self.assertEqual((200, None, "Origin"), (other.status, other.headers["Access-Control-Allow-Origin"], other.headers["Vary"][:6]))


if __name__ == "__main__":
    unittest.main()
