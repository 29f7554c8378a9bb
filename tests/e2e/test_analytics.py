"""What analytics makes of the events is what the services have in their own tables: to the cent and the piece, also when analytics is
killed again and again while it takes the events in, and Kafka under it."""

import contextlib
import datetime
import signal
import threading
import unittest
from decimal import Decimal

from support import crash, gateways, ledger, postgres, stack, wait
from support.lives import Lives
from support.shop import Shop, unique

# Its days begin in another time zone than everybody else's: TEST_SETTINGS in tools/bvtool/specs.py.
TENANT_ELSEWHERE, ZONE_OFFSET = "analytics-elsewhere", datetime.timedelta(hours=14)
# Those that no other service has: the caches are projections, too.
CRASH_POINTS = ("projections.rows.written", "projections.rows.committed")
CUSTOMERS = 3
FOLLOWS_WITHIN = 30.0  # seconds

# By currency, what was paid and given back, and how often, by the orders themselves.
MONEY = """
    SELECT currency, sum(total_amount)::bigint AS paid, count(*) AS paid_orders,
           coalesce(sum(total_amount) FILTER (WHERE payment_status = 'REFUNDED'), 0)::bigint AS refunded,
           count(*) FILTER (WHERE payment_status = 'REFUNDED') AS refunded_orders
    FROM orders.orders WHERE tenant_id = '%s' AND payment_status IN ('PAID', 'REFUNDED') GROUP BY currency"""


def today(offset=datetime.timedelta()):
    return (datetime.datetime.now(datetime.timezone.utc) + offset).date()


class Reader(unittest.TestCase):
    """How the tests read."""

    def setUp(self):
        stack.await_ready("analytics")

    def shop(self, tenant=None):
        shop = Shop(tenant)
        self.addCleanup(shop.close)
        return shop

    @staticmethod
    def get(shop, what, client=None):
        return shop.must(200, (client or shop.staff).get(f"/api/v1/analytics/{what}"))

    def follows(self, read, expected):
        """Waits until `read()` is what it should be."""
        last = None

        def same():
            nonlocal last
            last = read()
            return last == expected
        try:
            wait.until(same, FOLLOWS_WITHIN, every=0.1)
        except AssertionError:
            self.assertEqual(expected, last)

    @staticmethod
    def buy(shop, product, qty=1, **changes):
        order = shop.must(201, shop.order([(product["sku"], qty)], key=unique("key"), **changes))
        return shop.must(200, shop.customer.post(f"/api/v1/orders/{order['orderId']}/pay", {}))

    @staticmethod
    def cancel(shop, order):
        return shop.must(200, shop.staff.post(f"/api/v1/orders/{order['orderId']}/cancel", {}))

    def revenue(self, shop, path):
        """{currency: (paid, paid orders, refunded, refunded orders, net)} over all days or minutes of an answer."""
        found = {}
        answer = self.get(shop, path)
        for row in answer.get("days", answer.get("windows", [])):
            values = [row[name] for name in ("paidAmount", "paidOrders", "refundedAmount", "refundedOrders", "netAmount")]
            found[row["currency"]] = tuple(round(old + new, 3) for old, new in zip(found.get(row["currency"], [0] * 5), values))
        return found

    def daily(self, shop):
        """Midnight may pass while a test runs."""
        return self.revenue(shop, f"revenue/daily?fromDay={today() - datetime.timedelta(days=1)}&toDay={today() + datetime.timedelta(days=1)}")

    def orders(self, shop, client=None, query=""):
        return self.get(shop, f"orders?pageSize=100{query}", client)["orders"]


class Analytics(Reader):
    def test_revenue_is_right_to_the_cent(self):
        shop = self.shop()
        dollars, yen, dinars = (shop.product(price, stock=10, currency=currency)
                                for price, currency in ((129.95, "USD"), (1500, "JPY"), (7.125, "KWD")))
        gone = self.buy(shop, dollars)
        self.buy(shop, dollars, 2)
        self.buy(shop, yen, currency="JPY")
        self.buy(shop, dinars, 3, currency="KWD")
        shop.must(201, shop.order([(dollars["sku"], 1)], key=unique("key")))  # never paid
        unpaid = shop.must(201, shop.order([(dollars["sku"], 1)], key=unique("key")))
        self.cancel(shop, unpaid)
        self.cancel(shop, gone)
        expected = {"USD": (Decimal("389.85"), 2, Decimal("129.95"), 1, Decimal("259.90")), "JPY": (1500, 1, 0, 0, 1500),
                    "KWD": (Decimal("21.375"), 1, 0, 0, Decimal("21.375"))}
        self.follows(lambda: self.daily(shop), expected)
        self.follows(lambda: self.revenue(shop, "revenue/live"), expected)
        self.assertEqual(list(self.revenue(shop, "revenue/live?currency=JPY")), ["JPY"])
        self.assertEqual(self.get(shop, "revenue/daily?fromDay=2020-01-01&toDay=2020-12-31"), {"days": [], "timeZone": "UTC"})

    def test_windows_are_complete_when_the_watermark_has_passed(self):
        shop = self.shop()
        self.buy(shop, shop.product(stock=1))
        self.follows(lambda: list(self.revenue(shop, "revenue/live")), ["USD"])
        answer = self.get(shop, "revenue/live")
        self.assertIs(answer["windows"][0]["complete"], False, "the minute of now")
        self.assertLess(datetime.datetime.fromisoformat(answer["watermark"].replace("Z", "+00:00")),
                        datetime.datetime.now(datetime.timezone.utc))

    def test_days_begin_where_the_shop_is(self):
        shop = self.shop(TENANT_ELSEWHERE)
        product = shop.product(10, stock=1)

        def paid():
            first = today(ZONE_OFFSET)
            answer = self.get(shop, f"revenue/daily?fromDay={first}&toDay={first + datetime.timedelta(days=1)}&currency=USD")
            self.assertEqual(answer["timeZone"], "Pacific/Kiritimati")
            return sum(day["paidOrders"] for day in answer["days"])
        before = paid()
        self.buy(shop, product)
        self.follows(paid, before + 1)

    def test_the_snapshot_is_the_stock(self):
        shop = self.shop()
        product = shop.product(stock=50)
        shop.stock_up(product["sku"], 7, "SHOP-1")
        shop.must(200, shop.staff.call("PATCH", f"/api/v1/inventory/{product['sku']}/locations/MAIN", {"buffer": 5}))
        self.buy(shop, product, 3)
        other = shop.product(stock=4)
        names = ("locationCode", "onHand", "reserved", "available", "version")
        for sku in (product["sku"], other["sku"]):
            stock = sorted(tuple(place[name] for name in names) for place in shop.stock(sku)["locations"])
            self.follows(lambda s=sku: [tuple(level[name] for name in names) for level in self.get(shop, f"inventory?sku={s}")["levels"]], stock)
        pages, token = [], ""
        while token is not None:
            page = self.get(shop, f"inventory?pageSize=1&pageToken={token}")
            pages += [(level["sku"], level["locationCode"]) for level in page["levels"]]
            token = page.get("nextPageToken") or None
        self.assertEqual(pages, sorted([(product["sku"], "MAIN"), (product["sku"], "SHOP-1"), (other["sku"], "MAIN")]))

    def owned(self, shop):
        """As order shows them, newest first."""
        listed = shop.must(200, shop.customer.get("/api/v1/orders?pageSize=100"))["orders"]
        return [(o["orderId"], o["status"], o["fulfillmentStatus"], o["totalAmount"], o["currency"], o["createdAt"]) for o in listed]

    def shown(self, shop):
        return [(o["orderId"], o["status"], o["fulfillmentStatus"], o["totalAmount"], o["currency"], o["createdAt"])
                for o in self.orders(shop, shop.customer)]

    def test_orders_by_customer(self):
        shop = self.shop()
        product = shop.product(stock=10)
        paid = self.buy(shop, product, 2)
        self.cancel(shop, self.buy(shop, product))
        shop.must(200, shop.staff.post(f"/api/v1/orders/{paid['orderId']}/fulfill", {}))
        shop.must(201, shop.order([(product["sku"], 1)], key=unique("key")))
        self.follows(lambda: self.shown(shop), self.owned(shop))
        states = [order["paymentStatus"] for order in self.orders(shop, query="&userId=ada")]
        self.assertEqual(states, ["", "REFUNDED", "PAID"])
        first = self.get(shop, "orders?pageSize=2", shop.customer)
        second = self.get(shop, f"orders?pageSize=2&pageToken={first['nextPageToken']}", shop.customer)
        self.assertEqual([order["orderId"] for order in first["orders"] + second["orders"]], [order[0] for order in self.owned(shop)])
        refused = shop.customer.get("/api/v1/analytics/orders?userId=bob")
        self.assertEqual((refused.status, refused.json["code"]), (403, "NOT_YOURS"))
        self.assertEqual(shop.customer.get("/api/v1/analytics/inventory").status, 403)

    def test_bad_input_is_named(self):
        shop = self.shop()
        for query in ("revenue/daily", "revenue/daily?fromDay=yesterday", "revenue/daily?fromDay=2026-02-30", "revenue/daily?fromDay=2026-11-21&currency=XXY",
                      "revenue/daily?fromDay=2026-11-21&toDay=2026-11-20", "revenue/daily?fromDay=2024-01-01&toDay=2026-01-01",
                      "revenue/live?minutes=121", "orders?pageSize=101", "orders?pageToken=x", "inventory?pageToken=eA", "inventory?sku=a%20b"):
            with self.subTest(query):
                self.assertEqual(shop.staff.get(f"/api/v1/analytics/{query}").status, 400)


class Killed(Reader):
    """Under load; what is read twice counts once."""

    def live(self, shop, skus, user, ended, problems):
        lives = Lives(shop, skus, user)
        kinds = (Lives.paid_and_shipped, Lives.paid_and_refunded, Lives.transferred, Lives.withdrawn)
        try:
            for number in range(10_000):
                if ended.is_set():
                    return
                kinds[number % len(kinds)](lives)
        except Exception as problem:  # pylint: disable=broad-except  # the main thread says it
            problems.append(problem)
        finally:
            lives.close()

    def kill(self, point, behind=None):
        """At a crash point that the load leads to, or, without one, at any moment. Every read model passes a point, so with `behind` it is armed
        while the rows of that one are about to be written."""
        pid = stack.pids()["analytics"]
        with postgres.locked(f"LOCK TABLE analytics.{behind} IN EXCLUSIVE MODE") if behind else contextlib.nullcontext():
            if behind:
                wait.until(lambda: postgres.waiting_for_lock("analytics"), 30, f"rows of {behind}")
            if point is None:
                stack.send_signal("analytics", signal.SIGKILL)
            else:
                crash.arm(point)
        stack.await_restart("analytics", pid)

    @staticmethod
    def kill_kafka():
        """Under the consumers, which go on by themselves; what they need is in the outbox meanwhile."""
        stack.await_restart("kafka", stack.send_signal("kafka", signal.SIGKILL), within=90)

    def test_under_load(self):
        shop = self.shop()
        skus = Lives.prepare(shop)
        self.addCleanup(gateways.behave)
        self.addCleanup(crash.disarm)
        ended, problems = threading.Event(), []
        customers = [threading.Thread(target=self.live, args=(shop, skus, f"buyer-{i}", ended, problems)) for i in range(CUSTOMERS)]
        for customer in customers:
            customer.start()
        try:
            # Where the first read model is written, which puts values, where one is that adds them up, and at any moment.
            for behind in (None, "daily_revenue"):
                for point in (*CRASH_POINTS, None):
                    self.kill(point, behind)
            # Last, so that nobody starts analytics anew behind it.
            self.kill_kafka()
        finally:
            ended.set()
            for customer in customers:
                customer.join()
        self.assertEqual([], problems)
        ledger.await_rest(self, shop.tenant, 60)
        # Behind everything that was read twice.
        self.buy(shop, {"sku": skus[0]})
        self.assertGreater(self.expected(shop)["USD"][1], 10)
        for read in (self.daily, lambda of: self.revenue(of, "revenue/live")):
            self.follows(lambda r=read: r(shop), self.expected(shop))
        stock = sorted((p["locationCode"], p["onHand"], p["reserved"], p["available"]) for p in shop.stock(skus[0])["locations"])
        self.follows(lambda: [(p["locationCode"], p["onHand"], p["reserved"], p["available"])
                              for p in self.get(shop, f"inventory?sku={skus[0]}")["levels"]], stock)
        for i in range(CUSTOMERS):
            owned = postgres.rows(f"SELECT order_id, status FROM orders.orders WHERE tenant_id = '{shop.tenant}' AND user_id = 'buyer-{i}' "
                                  "ORDER BY order_id DESC LIMIT 100")
            self.follows(lambda u=i: [(o["orderId"], o["status"]) for o in self.orders(shop, query=f"&userId=buyer-{u}")],
                         [(o["order_id"], o["status"]) for o in owned])

    @staticmethod
    def expected(shop):
        return {row["currency"]: (row["paid"] / 100, row["paid_orders"], row["refunded"] / 100, row["refunded_orders"],
                                  (row["paid"] - row["refunded"]) / 100) for row in postgres.rows(MONEY % shop.tenant)}


if __name__ == "__main__":
    unittest.main()
