"""GraphQL through the gateway: one call of a service however much is asked, answers that follow changes, and nothing of the inside."""

import hashlib
import json
import re
import signal
import socket
import unittest
import urllib.parse

from support import http, postgres, stack, wait
from support.federation import Federation
from support.shop import Shop

PRODUCT = "{id title variants {sku price {amount currency} availability {available inStock}}}"
CALLS = {"product": ("product",), "inventory": ("inventory", "inventory-2")}
BATCHES = {"product": "commerce.product.v1.Products.BatchGetProducts", "inventory": "commerce.inventory.v1.Inventory.BatchGetStock"}
OF_SINGLE_CALLS = ("commerce.product.v1.Products.GetProduct", "commerce.inventory.v1.Inventory.QueryStock")


def redis(*words):
    """The answer of one command: text, a number, or None."""
    address = urllib.parse.urlsplit(stack.env("BV_REDIS_URL"))
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)))
        with connection.makefile("rb") as answers:
            kind, text = (line := answers.readline().strip())[:1], line[1:].decode()
            if kind == b"$":
                return None if text == "-1" else answers.read(int(text)).decode()
            return int(text) if kind == b":" else text


def calls(service, method):
    return sum(stack.metric(replica, "grpc_server_handled_total", method=method, code="OK") or 0 for replica in CALLS[service])


class GraphqlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)

    def send(self, body, client=None, **headers):
        return (client or self.shop.anyone).call("POST", "/graphql", body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, query, client=None, **variables):
        """The data of a query without errors."""
        answer = self.shop.must(200, self.send({"query": query, "variables": variables}, client))
        self.assertNotIn("errors", answer)
        return answer["data"]

    def code(self, query, **variables):
        return self.shop.must(200, self.send({"query": query, "variables": variables}))["errors"][0]["extensions"]["code"]

    def product(self, product_id):
        return self.ask(f"query($id: ID!) {{product(id: $id) {PRODUCT}}}", id=product_id)["product"]

    def keys(self, product_id):
        return [f"gql:{part}:{self.shop.tenant}:{product_id}" for part in ("product", "stock")]

    def kept(self, product_id):
        """Waits until a product is in the cache, which a change keeps it out of for three seconds."""
        def is_kept():
            self.product(product_id)
            return all(redis("GET", key) for key in self.keys(product_id))
        wait.until(is_kept, what="the cache")
        return product_id


class Answers(GraphqlTest):
    def test_a_product_with_its_prices_and_what_there_is(self):
        made = self.shop.product(25.00, stock=7)
        self.assertEqual({"id": made["productId"], "title": made["title"], "variants": [
            {"sku": made["sku"], "price": {"amount": "25.00", "currency": "USD"}, "availability": {"available": 7, "inStock": True}}]},
            self.product(made["productId"]))
        inventory = self.ask("query($id: ID!) {productInventory(id: $id) {inStock product {title} variants {availability {places {place available}}}}}",
                             id=made["productId"])["productInventory"]
        self.assertEqual({"inStock": True, "product": {"title": made["title"]},
                          "variants": [{"availability": {"places": [{"place": "MAIN", "available": 7}]}}]}, inventory)

    def test_a_list_page_by_page(self):
        shop = Shop()
        self.addCleanup(shop.close)
        made = [shop.product(1.00, stock=1)["productId"] for _ in range(5)]
        seen, after = [], None
        while True:
            page = self.ask("query($after: String) {products(first: 2, after: $after, filter: {status: ACTIVE}) {next items {id inventory {inStock}}}}",
                            shop.anyone, after=after)["products"]
            seen += [item["id"] for item in page["items"]]
            self.assertTrue(all(item["inventory"]["inStock"] for item in page["items"]))
            after = page["next"]
            if after is None:
                break
        self.assertEqual(made[::-1], seen)

    def test_shoppers_see_no_drafts_and_no_other_tenant(self):
        draft = self.shop.product(25.00, status="DRAFT")["productId"]
        query = "query($id: ID!) {product(id: $id) {status} productInventory(id: $id) {inStock}}"
        nothing = {"product": None, "productInventory": None}
        # Staff first, so that a cache that took the draft would show it.
        self.assertEqual("DRAFT", self.ask(query, self.shop.staff, id=draft)["product"]["status"])
        self.assertEqual(nothing, self.ask(query, id=draft))
        self.assertEqual(nothing, self.ask(query, self.shop.customer, id=draft))
        shown = self.shop.product(25.00)["productId"]
        self.ask(query, id=shown)
        stranger = http.Client(tenant=Shop().tenant)
        self.addCleanup(stranger.close)
        self.assertEqual(nothing, self.ask(query, stranger, id=shown))

    def test_one_call_of_each_service_for_many_products(self):
        made = [self.shop.product(1.00, stock=1)["productId"] for _ in range(10)]
        fields = " ".join(f'p{i}: product(id: "{product}") {PRODUCT}' for i, product in enumerate(made[:5]))
        fields += " ".join(f' i{i}: productInventory(id: "{product}") {{inStock variants {{availability {{available}}}}}}' for i, product in enumerate(made[5:]))
        before = {service: calls(service, method) for service, method in BATCHES.items()}
        single = [calls("product", OF_SINGLE_CALLS[0]), calls("inventory", OF_SINGLE_CALLS[1])]
        self.assertEqual(10, len(self.ask(f"{{{fields}}}")))
        self.assertEqual({"product": 1, "inventory": 1}, {service: calls(service, method) - before[service] for service, method in BATCHES.items()})
        self.assertEqual(single, [calls("product", OF_SINGLE_CALLS[0]), calls("inventory", OF_SINGLE_CALLS[1])])
        # And none while the cache has them.
        def asks_nobody():
            before = {service: calls(service, method) for service, method in BATCHES.items()}
            self.ask(f"{{{fields}}}")
            return before == {service: calls(service, method) for service, method in BATCHES.items()}

        # The events of what was made may still empty one or another of them.
        wait.until(asks_nobody, 20, "answers from the cache", every=0.2)

    def test_a_stock_apollo_gateway_reads_through_it(self):
        made = [self.shop.product(price, stock=3) for price in (25.00, 30.00)]
        apollo = Federation(self.shop.tenant)
        self.addCleanup(apollo.close)
        ids = json.dumps([product["productId"] for product in made])
        answer = apollo.ask(f"{{reviews(of: {ids}) {{stars product {{title variants {{price {{amount}} availability {{available}}}}}}}}}}")
        self.assertEqual({"data": {"reviews": [{"stars": 5, "product": {"title": product["title"], "variants": [
            {"price": {"amount": f"{price}.00"}, "availability": {"available": 3}}]}} for product, price in zip(made, (25, 30))]}}, answer)
        answer = apollo.ask(f'{{product(id: "{made[0]["productId"]}") {{title reviews {{stars}}}}}}')
        self.assertEqual({"data": {"product": {"title": made[0]["title"], "reviews": [{"stars": 5}]}}}, answer)


class Cache(GraphqlTest):
    def test_what_is_kept_is_kept_for_half_a_minute(self):
        product_id = self.kept(self.shop.product(25.00, stock=3)["productId"])
        for key in self.keys(product_id):
            self.assertLessEqual(redis("PTTL", key), 30_000)
            self.assertGreater(redis("PTTL", key), 20_000)

    def test_a_change_of_the_product_or_a_price_is_seen(self):
        made = self.shop.product(25.00, stock=3)
        product_id = self.kept(made["productId"])
        self.shop.must(200, self.shop.staff.call("PATCH", f"/api/v1/products/{product_id}", {
            "title": "Another title", "variants": [{"sku": made["sku"], "price": 24.00, "currency": "USD"}]}))
        changed = wait.until(lambda: (found := self.product(product_id))["title"] == "Another title" and found, within=10, what="the change")
        self.assertEqual("24.00", changed["variants"][0]["price"]["amount"])

    def test_stock_that_an_order_took_is_seen(self):
        made = self.shop.product(25.00, stock=3)
        product_id = self.kept(made["productId"])
        self.shop.must(201, self.shop.order([(made["sku"], 2)]))
        wait.until(lambda: self.product(product_id)["variants"][0]["availability"]["available"] == 1, within=10, what="the order's part")

    def test_without_redis_the_services_are_asked(self):
        made = self.shop.product(25.00, stock=3)
        self.kept(made["productId"])
        stack.send_signal("redis", signal.SIGSTOP)
        try:
            self.assertEqual(made["title"], self.product(made["productId"])["title"])
        finally:
            stack.send_signal("redis", signal.SIGCONT)
        self.kept(made["productId"])


class Refusals(GraphqlTest):
    def test_who_may_not_read_is_told_so_by_the_gateway(self):
        for client, status in ((http.Client(), 400), (http.Client("nonsense"), 401), (http.Client(self.shop.token("OPERATOR")), 403),
                               (http.Client(self.shop.token(), Shop().tenant), 403)):
            self.addCleanup(client.close)
            answer = self.send({"query": "{__typename}"}, client)
            self.assertEqual(status, answer.status)
            self.assertEqual("application/problem+json", answer.headers["Content-Type"])

    def test_bombs_and_batches(self):
        deep = f'{{product(id: "x") {{{"inventory {product {" * 10}id{"}}" * 10}}}}}'
        for query, code in ((deep, "QUERY_TOO_DEEP"), ("{" + " ".join(f"a{i}: __typename" for i in range(50)) + "}", "TOO_MANY_ALIASES"),
                            ("{" + "__typename " * 5000 + "}", "GRAPHQL_PARSE_FAILED"), ("{__typename" + " @include(if: true)" * 50 + "}", "TOO_MANY_DIRECTIVES"),
                            ("{products(first: 101) {next}}", "TOO_MANY_PRODUCTS"), ("{...f} fragment f on Query {...f}", "GRAPHQL_VALIDATION_FAILED")):
            with self.subTest(code):
                self.assertEqual(code, self.code(query))
        self.assertEqual(400, self.send([{"query": "{__typename}"}] * 2).status)
        self.assertEqual(413, self.send({"query": "{__typename}" + " " * 70_000}).status)

    def test_persisted_queries(self):
        query = f"query($id: ID!) {{product(id: $id) {{title}}}} # {self.shop.tenant}"
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
        product = self.shop.product(25.00)
        variables = {"id": product["productId"]}
        path = "/graphql?" + urllib.parse.urlencode({"extensions": json.dumps(extensions), "variables": json.dumps(variables)})
        unknown = self.shop.must(200, self.shop.anyone.get(path))["errors"][0]
        self.assertEqual(("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"), (unknown["message"], unknown["extensions"]["code"]))
        self.shop.must(200, self.send({"query": query, "variables": variables, "extensions": extensions}))
        # It is stored beside the answer.
        stored = wait.until(lambda: self.shop.must(200, self.shop.anyone.get(path)).get("data"), what="the persisted query")
        self.assertEqual({"product": {"title": product["title"]}}, stored)
        self.assertGreater(redis("PTTL", f"gql:persisted:{extensions['persistedQuery']['sha256Hash']}"), 0)
        whole = self.shop.anyone.get("/graphql?" + urllib.parse.urlencode({"query": "{__typename}"}))
        self.assertEqual("PERSISTED_QUERY_REQUIRED", whole.json["errors"][0]["extensions"]["code"])

    def test_no_error_names_a_table_a_column_or_an_address(self):
        names = {row["name"] for row in postgres.rows(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') UNION "
            "SELECT column_name FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')")}
        names = {name for name in names if "_" in name}
        self.assertIn("product_price_history", names)
        texts = [self.send({"query": query}).text for query in (
            "{", "{nonsense}", '{product(id: "\'; DROP TABLE product; --") {id nonsense}}', "{product {id}}", "{products(first: -1) {next}}",
            '{products(after: "nonsense") {next}}', '{products(filter: {status: GONE}) {next}}', '{products(filter: {sku: "%"}) {next}}',
            '{_entities(representations: [{__typename: "Tenant", id: 1}]) {__typename}}', '{_entities(representations: ["x"]) {__typename}}')]
        texts.append(json.dumps(self.ask("{_service {sdl}}")))
        for text in texts:
            self.assertEqual(set(), set(re.findall(r"[a-z]+(?:_[a-z]+)+", text)) & names, text)
            self.assertNotRegex(text, r"127\.0\.0\.1|node_modules|services/|commerce\.")
        self.assertTrue(all("traceId" in text for text in texts[:-1]))

    def test_a_service_that_is_away_and_comes_back(self):
        pid = stack.send_signal("graphql", signal.SIGTERM)
        answers = []

        def again():
            answers.append(self.send({"query": "{__typename}"}))
            return any(answer.status == 503 for answer in answers) and answers[-1].status == 200
        wait.until(again, within=30, what="the service again")
        stack.await_restart("graphql", pid)
        self.assertEqual({200, 503}, {answer.status for answer in answers})
        away = next(answer for answer in answers if answer.status == 503)
        self.assertEqual("PEER_UNAVAILABLE", away.json["code"])
        self.assertNotIn("127.0.0.1", away.text)
        self.assertEqual("exit code 0", stack.processes()["graphql"]["last_exit"])


if __name__ == "__main__":
    unittest.main()
