"""The storefront's search and categories over REST and GraphQL: what is found follows a change at once, and a CDN may keep it."""

import unittest

from support import http, stack
from support.shop import Shop

SEARCH = "/api/v1/products:search"


class Search(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        for code, parent in (("outdoor", ""), ("tents", "outdoor"), ("kitchen", "")):
            cls.shop.must(201, cls.shop.staff.post("/api/v1/categories", {"code": code, "name": code.title(), "parent": parent}))
        cls.dome = cls.shop.product(249.00, title="Café dome tent", categories=["tents"], attributes={"color": "red", "season": "3"})
        cls.tunnel = cls.shop.product(99.50, title="Tunnel tent", categories=["tents"], attributes={"color": "blue"})
        cls.stove = cls.shop.product(64.75, title="Gas stove", categories=["kitchen"], attributes={"color": "red"})

    def found(self, query, client=None):
        answer = self.shop.must(200, (client or self.shop.anyone).get(f"{SEARCH}?{query}"))
        self.assertEqual(len(answer["products"]), answer["total"])
        return [product["title"] for product in answer["products"]]

    def test_words_filters_and_orders(self):
        dome, tunnel, stove = (made["title"] for made in (self.dome, self.tunnel, self.stove))
        for query, titles in (("q=cafe", [dome]), ("q=TENT%20do", [dome]), ("category=outdoor", [tunnel, dome]), ("attributes=color:red", [stove, dome]),
                              ("attributes=color:red&attributes=color:blue&category=tents", [tunnel, dome]), ("q=nothing", []),
                              ("minPrice=64.75&maxPrice=99.50&currency=USD", [stove, tunnel]), ("order=PRICE_UP&currency=USD", [stove, tunnel, dome]),
                              (f"q={self.stove['sku']}", [stove]), ("q='%20%26%20|%20!%20(%20%3C-%3E", [])):
            with self.subTest(query):
                self.assertEqual(titles, self.found(query))

    def test_facets(self):
        answer = self.shop.must(200, self.shop.anyone.get(f"{SEARCH}?q=tent&currency=USD&facets=true&fields=total,facets"))
        self.assertEqual({"total": 2, "facets": {
            "categories": [{"code": "outdoor", "name": "Outdoor", "count": 2}, {"code": "tents", "name": "Tents", "count": 2}],
            "attributes": [{"name": "color", "values": [{"value": "blue", "count": 1}, {"value": "red", "count": 1}]},
                           {"name": "season", "values": [{"value": "3", "count": 1}]}],
            "prices": [{"currency": "USD", "from": 50, "below": 100, "count": 1}, {"currency": "USD", "from": 200, "below": 500, "count": 1}]}}, answer)

    def test_a_change_is_found_at_once(self):
        made = self.shop.product(10.00, title="Zeppelin")
        self.assertEqual(["Zeppelin"], self.found("q=zepp"))
        self.shop.must(200, self.shop.staff.call("PATCH", f"/api/v1/products/{made['productId']}", {"status": "ARCHIVED"}))
        self.assertEqual([], self.found("q=zepp"))

    def test_caches_may_keep_it_for_its_tenant(self):
        for path in (f"{SEARCH}?q=tent", "/api/v1/categories", "/api/v1/categories/tents"):
            with self.subTest(path):
                answer = self.shop.anyone.get(path)
                self.assertRegex(answer.headers["Cache-Control"], r"^public, max-age=\d+, s-maxage=\d+, stale-while-revalidate=\d+$")
                self.assertLessEqual({"X-Tenant-Id", "Authorization"}, set(answer.headers["Vary"].split(", ")))
                self.assertEqual(304, self.shop.anyone.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status)
                self.assertEqual("private, no-store", self.shop.customer.get(path).headers["Cache-Control"])
        stranger = http.Client(tenant=Shop().tenant)
        self.addCleanup(stranger.close)
        self.assertEqual([], self.found("q=tent", stranger))

    def test_a_category_is_changed_as_it_was_seen(self):
        path = "/api/v1/categories/kitchen"
        tag = self.shop.anyone.get(path).headers["ETag"]
        self.assertEqual(200, self.shop.staff.call("PATCH", path, {"position": 7}, {"If-Match": tag}).status)
        self.assertEqual(412, self.shop.staff.call("PATCH", path, {"position": 8}, {"If-Match": tag}).status)
        answer = self.shop.staff.call("DELETE", path)
        self.assertEqual((409, "CATEGORY_IN_USE"), (answer.status, answer.json["code"]))

    def test_graphql_finds_the_same(self):
        query = """{products(filter: {text: "tent", category: "outdoor", price: {currency: "USD", max: "100"}}) {items {title}}
                    categories {code parent}}"""
        answer = self.shop.must(200, self.shop.anyone.post("/graphql", {"query": query}))
        self.assertEqual([{"title": self.tunnel["title"]}], answer["data"]["products"]["items"])
        self.assertIn({"code": "tents", "parent": "outdoor"}, answer["data"]["categories"])


if __name__ == "__main__":
    unittest.main()
