"""Where a store wants it, what is in a cart is held for a while: the cart shows what is held until when, the stock is held once whatever
ends in between, and a customer's order does not compete with their cart."""

import datetime
import signal
import unittest

from support import crash, http, ledger, patient, postgres, stack, wait
from support.shop import Shop, order_body, unique

# The one tenant of the test stack whose carts hold stock: TEST_SETTINGS in tools/bvtool/specs.py. All tests here share it.
TENANT = "cart-holds"
HOLD = datetime.timedelta(minutes=15)  # as in cart.yaml
INVENTORIES = ("inventory", "inventory-2")
GROUPS = (("cart", "cart"), *((name, "inventory-holds") for name in INVENTORIES))
LATE_MAX = 5.0  # seconds; the aim is one, the rest is for a machine that has other things to do
CRASH_POINTS = ("cart.change.stored", "cart.merge.stored", "cart.answers.read", "cart.answers.stored", "inventory.holds.read",
                "inventory.batch.written", "inventory.batch.committed", "inventory.holds.stored")

# What these carts show as held, where it is not what inventory holds for them.
DIFFERENCES = """
    SELECT cart_id, sku, shown.qty AS shown, held.qty AS held, shown.until AS shown_until, held.until AS held_until
    FROM (SELECT cart_id, sku, item_version, hold_qty AS qty, held_until AS until
          FROM cart.cart_item JOIN cart.cart USING (tenant_id, cart_id) WHERE hold_status = 'HELD' AND closed_at IS NULL) shown
    FULL JOIN (SELECT r.cart_id, l.sku, r.item_version, sum(l.qty)::bigint AS qty, r.expires_at AS until
               FROM inventory.reservation r JOIN inventory.reservation_line l USING (tenant_id, reservation_id)
               WHERE r.holder = 'CART' AND r.status = 'HELD'
               GROUP BY r.cart_id, l.sku, r.item_version, r.expires_at) held USING (cart_id, sku, item_version)
    WHERE cart_id = ANY ('{%s}') AND (shown.qty, shown.until) IS DISTINCT FROM (held.qty, held.until)"""


class Buyer:
    """A person of their own with a cart; with `session`, a visitor's cart."""

    def __init__(self, shop, session=None):
        self._shop = shop
        self.user = unique("buyer")
        self.client = http.Client(shop.token(user=self.user))
        self._session = {"sessionId": session} if session else {}
        self.cart = self._must(lambda: self.client.post("/api/v1/carts", self._session), 201)["cartId"]

    def close(self):
        self.client.close()

    def put(self, sku, qty):
        """What the cart shows then; sent again until it is answered."""
        path = f"/api/v1/carts/{self.cart}/items/{sku}"
        return self._must(lambda: self.client.call("PUT", path, {"qty": qty, **self._session}))

    def remove(self, sku):
        return self._must(lambda: self.client.call("DELETE", f"/api/v1/carts/{self.cart}/items/{sku}"))

    def merge(self, session):
        return self._must(lambda: self.client.post("/api/v1/carts:merge", {"sessionId": session}))

    def order(self, key=None):
        body = {**order_body([]), "cartId": self.cart}
        del body["items"]
        return patient.post(self.client, "/api/v1/orders", body, key)

    def hold(self, sku):
        """What the cart shows as held of the SKU; nothing: {}."""
        query = "?sessionId=" + self._session["sessionId"] if self._session else ""
        cart = self._must(lambda: self.client.get(f"/api/v1/carts/{self.cart}{query}"))
        (item,) = [item for item in cart["items"] if item["sku"] == sku]
        return item.get("hold", {})

    def await_hold(self, sku, status, within=30):
        """The hold when it has come to this; an answer of inventory, so a REQUESTED one is waited for."""
        wait.until(lambda: self.hold(sku)["status"] != "REQUESTED", within, f"inventory's answer about {sku}")
        hold = self.hold(sku)
        if hold["status"] != status:
            raise AssertionError(f"expected {status}, the cart shows {hold}")
        return hold

    def _must(self, call, status=200):
        def answered():
            answer = call()
            return not patient.comes_back(answer) and answer
        return self._shop.must(status, wait.until(answered, 60, "an answer"))


class CartHolds(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.shop = Shop(TENANT)
        self.addCleanup(self.shop.close)
        self.buyers = []
        self.ada = self.buyer()

    def buyer(self, session=None):
        buyer = Buyer(self.shop, session)
        self.addCleanup(buyer.close)
        self.buyers.append(buyer)
        return buyer

    def sku(self, stock):
        return self.shop.product(10.00, stock=stock)["sku"]

    def available(self, sku):
        return self.shop.stock(sku)["available"]

    def await_available(self, sku, qty, within=30):
        wait.until(lambda: self.available(sku) == qty, within, f"{qty} of {sku} available")

    def reservation(self, hold):
        return self.shop.must(200, self.shop.staff.get(f"/api/v1/reservations/{hold['reservationId']}"))

    def check(self):
        ledger.check_stock(self, TENANT)
        differences = DIFFERENCES % ",".join(buyer.cart for buyer in self.buyers)
        try:
            wait.until(lambda: not postgres.rows(differences), 10, "carts that show what is held")
        except AssertionError:
            self.assertEqual([], postgres.rows(differences))

    def test_what_is_in_the_cart_is_held(self):
        sku = self.sku(5)
        (item,) = self.ada.put(sku, 2)["items"]
        self.assertEqual(item["hold"]["status"], "REQUESTED")
        first = self.ada.await_hold(sku, "HELD")
        self.assertEqual((2, 3), (first["qty"], self.available(sku)))
        held = self.reservation(first)
        self.assertEqual((held["status"], held["holder"], held["userId"]), ("HELD", "CART", self.ada.user))
        self.assertEqual(held["expiresAt"], first["heldUntil"])
        self.assertEqual(HOLD.total_seconds(), postgres.value(
            f"SELECT extract(epoch FROM expires_at - created_at) FROM inventory.reservation "
            f"WHERE reservation_id = '{first['reservationId']}'"))

        self.ada.put(sku, 4)
        more = self.ada.await_hold(sku, "HELD")
        self.assertEqual((4, 1), (more["qty"], self.available(sku)))
        self.assertEqual(first["reservationId"], more["reservationId"])
        self.assertTrue(postgres.value(f"SELECT '{more['heldUntil']}'::timestamptz > '{first['heldUntil']}'"), "from the last change on")
        self.ada.put(sku, 1)
        self.assertEqual((1, 4), (self.ada.await_hold(sku, "HELD")["qty"], self.available(sku)))

        self.assertEqual(self.ada.remove(sku)["items"], [])
        self.await_available(sku, 5)
        self.assertEqual("RELEASED", self.reservation(first)["status"])
        self.ada.put(sku, 3)
        self.ada.await_hold(sku, "HELD")
        self.assertEqual(2, self.available(sku))
        self.assertEqual(self.ada.put(sku, 0)["items"], [])
        self.await_available(sku, 5)
        self.check()

    def test_other_stores_carts_hold_nothing(self):
        other = Shop()
        self.addCleanup(other.close)
        sku, eve = other.product(10.00, stock=5)["sku"], Buyer(other)
        self.addCleanup(eve.close)
        eve.put(sku, 2)
        self.assertEqual({}, eve.hold(sku))
        self.assertEqual(0, postgres.value(f"SELECT count(*) FROM outbox.event WHERE tenant_id = '{other.tenant}' "
                                           f"AND aggregatetype = 'ecommerce.inventory.reservation'"))
        self.assertEqual(5, other.stock(sku)["available"])

    def test_more_than_there_is(self):
        sku, bob = self.sku(3), self.buyer()
        self.ada.put(sku, 2)
        self.ada.await_hold(sku, "HELD")
        bob.put(sku, 2)
        rejected = bob.await_hold(sku, "REJECTED")
        self.assertEqual(0, rejected.get("qty", 0))
        self.assertNotIn("heldUntil", rejected)
        self.assertEqual(1, self.available(sku))
        bob.put(sku, 1)
        bob.await_hold(sku, "HELD")
        self.assertEqual(0, self.available(sku))

        self.ada.put(sku, 3)
        self.ada.await_hold(sku, "REJECTED")
        self.assertEqual(2, self.available(sku), "a cart that asks for too much holds nothing")
        self.ada.put(sku, 2)
        self.ada.await_hold(sku, "HELD")
        self.assertEqual(0, self.available(sku))
        self.check()

    def test_a_hold_ends_in_time(self):
        sku = self.sku(2)
        self.ada.put(sku, 2)
        hold = self.ada.await_hold(sku, "HELD")
        where = f"tenant_id = '{TENANT}' AND reservation_id = '{hold['reservationId']}'"
        postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() + interval '1 second' WHERE {where}")
        self.await_available(sku, 2)
        late = postgres.value(f"""
            SELECT extract(epoch FROM max(a.created_at) - min(r.expires_at))
            FROM inventory.reservation r JOIN inventory.inventory_adjustment a USING (tenant_id, reservation_id)
            WHERE {where} AND r.status = 'EXPIRED' AND a.reserved_delta < 0""")
        self.assertGreaterEqual(late, 0, "before its time")
        self.assertLess(late, LATE_MAX)
        # The cart learns it from the event: by its own row the hold would last for a quarter of an hour.
        expired = wait.until(lambda: self.ada.hold(sku)["status"] == "EXPIRED" and self.ada.hold(sku), 30, "the cart hears of it")
        self.assertEqual(0, expired.get("qty", 0))
        self.assertNotIn("heldUntil", expired)
        self.ada.put(sku, 1)
        self.ada.await_hold(sku, "HELD")
        self.assertEqual(1, self.available(sku))
        self.check()

    def test_an_order_takes_the_place_of_the_carts_holds(self):
        sku, bob = self.sku(2), self.buyer()
        self.ada.put(sku, 2)
        hold = self.ada.await_hold(sku, "HELD")
        bob.put(sku, 1)
        refused = bob.order()
        self.assertEqual((409, "OUT_OF_STOCK"), (refused.status, refused.json["code"]), "it is in another's cart")

        key = unique("key")
        order = self.shop.must(201, self.ada.order(key))
        self.assertEqual("RELEASED", self.reservation(hold)["status"])
        stock = self.shop.stock(sku)
        self.assertEqual((2, 0), (stock["reserved"], stock["available"]), "taken once")
        wait.until(lambda: self.ada.hold(sku) == {}, 30, "a cart that shows no hold")
        self.assertEqual(order["orderId"], self.ada.order(key).json["orderId"])
        self.shop.must(200, patient.post(self.ada.client, f"/api/v1/orders/{order['orderId']}/pay"))
        self.assertEqual(2, self.shop.stock(sku)["reserved"])
        self.check()
        ledger.check_orders(self, TENANT)

    def test_an_order_that_fails_leaves_the_cart_what_it_holds(self):
        held, scarce = self.sku(1), self.sku(1)
        self.ada.put(held, 1)
        self.ada.put(scarce, 2)
        self.ada.await_hold(held, "HELD")
        self.ada.await_hold(scarce, "REJECTED")
        refused = self.ada.order()
        self.assertEqual((409, "OUT_OF_STOCK", "items[1].qty"), (refused.status, refused.json["code"], refused.json["field"]))
        self.ada.await_hold(held, "HELD")
        self.assertEqual((0, 1), (self.available(held), self.available(scarce)))
        self.check()

    def test_an_order_before_the_cart_has_heard_that_it_holds(self):
        sku = self.sku(2)
        pids = {name: stack.send_signal(name, signal.SIGSTOP) for name in INVENTORIES}
        try:
            self.ada.put(sku, 2)
            # The cart cannot take the answer in while its row is locked.
            with postgres.locked(f"SELECT FROM cart.cart WHERE cart_id = '{self.ada.cart}' FOR UPDATE"):
                for name in pids:
                    stack.send_signal(name, signal.SIGCONT)
                self.await_available(sku, 0)
                self.assertEqual("REQUESTED", self.ada.hold(sku)["status"])
                self.shop.must(201, self.ada.order())
        finally:
            for name in pids:
                stack.send_signal(name, signal.SIGCONT)
        self.assertEqual(2, self.shop.stock(sku)["reserved"])
        wait.until(lambda: self.ada.hold(sku) == {}, 30, "a cart that shows no hold")
        self.check()

    def test_at_log_in_the_hold_goes_to_the_users_cart(self):
        # The last ones, time and again: whoever comes between the two holds would get them.
        for _ in range(10):
            sku, session = self.sku(2), unique("session-secret")
            visitor = self.buyer(session)
            visitor.put(sku, 2)
            before = visitor.await_hold(sku, "HELD")
            self.ada.merge(session)
            self.assertEqual(2, self.ada.await_hold(sku, "HELD")["qty"])
            wait.until(lambda: self.reservation(before)["status"] == "RELEASED", 30, "the visitor's hold given back")
            self.assertEqual(0, self.shop.stock(sku)["available"])
        self.check()

    def test_inventory_is_killed_between_request_and_answer(self):
        sku, buyers = self.sku(100), [self.ada, *(self.buyer() for _ in range(9))]
        pids = {name: stack.send_signal(name, signal.SIGSTOP) for name in INVENTORIES}
        try:
            for buyer in buyers:
                (item,) = buyer.put(sku, 3)["items"]
                self.assertEqual(item["hold"]["status"], "REQUESTED")
        finally:
            for name in INVENTORIES:
                stack.send_signal(name, signal.SIGKILL)
        for name, pid in pids.items():
            stack.await_restart(name, pid)
        self.check_held_once(sku, buyers, 3)

    def test_inventory_is_killed_again_and_again(self):
        sku, buyers = self.sku(1000), [self.ada, *(self.buyer() for _ in range(9))]
        for qty in range(1, 4):
            pids = {}
            for number, buyer in enumerate(buyers):
                buyer.put(sku, qty)
                if number % 5 == 4:
                    victim = INVENTORIES[len(pids)]
                    pids[victim] = stack.send_signal(victim, signal.SIGKILL)
            for name, pid in pids.items():
                stack.await_restart(name, pid)
            # What the last change asked for; the next one makes it void.
            self.check_held_once(sku, buyers, qty)

    def test_inventory_is_killed_with_requests_in_its_hands(self):
        sku, buyers = self.sku(1000), [self.ada, *(self.buyer() for _ in range(9))]
        for qty in range(1, 3):
            # What was read waits for the row of the stock, and nobody has it when the process is gone.
            with postgres.locked(f"SELECT FROM inventory.inventory_stock WHERE tenant_id = '{TENANT}' AND sku = '{sku}' FOR UPDATE"):
                for buyer in buyers:
                    buyer.put(sku, qty)
                wait.until(lambda: postgres.waiting_for_lock("inventory") >= len(INVENTORIES), 30, "requests under way in both")
                pids = {name: stack.send_signal(name, signal.SIGKILL) for name in INVENTORIES}
            for name, pid in pids.items():
                stack.await_restart(name, pid)
            self.check_held_once(sku, buyers, qty)

    def test_kafka_is_killed_again_and_again(self):
        # Requests, answers and what both consumers have committed go through it; carts and their holds need it for nothing else.
        sku, buyers = self.sku(1000), [self.ada, *(self.buyer() for _ in range(9))]
        handled = stack.metric("cart", "consumer_handled_total", group="cart")
        for qty in range(1, 4):
            for number, buyer in enumerate(buyers):
                buyer.put(sku, qty)
                if number == 4:
                    pid = stack.send_signal("kafka", signal.SIGKILL)
            stack.await_restart("kafka", pid, within=90)
            self.check_held_once(sku, buyers, qty)
        print(f"{stack.metric('cart', 'consumer_handled_total', group='cart') - handled:.0f} messages came to cart")
        self.await_caught_up()
        for service, group in GROUPS:
            self.assertEqual(0, stack.metric(service, "consumer_parked_events", group=group) or 0)

    @staticmethod
    def await_caught_up():
        for service, group in GROUPS:
            wait.until(lambda name=service, of=group: stack.metric(name, "consumer_lag", group=of) == 0 and
                       stack.metric(name, "consumer_oldest_unprocessed_seconds", group=of) == 0, 30, f"{service} up to date")

    def check_held_once(self, sku, buyers, qty):
        for buyer in buyers:
            hold = buyer.await_hold(sku, "HELD", 60)
            self.assertEqual(qty, hold["qty"])
            taken = postgres.value(f"SELECT sum(reserved_delta) FROM inventory.inventory_adjustment "
                                   f"WHERE tenant_id = '{TENANT}' AND reservation_id = '{hold['reservationId']}'")
            self.assertEqual(qty, taken, "by the ledger")
        # What another cart gave back for it may take a moment longer.
        wait.until(lambda: self.shop.stock(sku)["reserved"] == qty * len(buyers), 30, "nothing else reserved")
        self.check()

    def test_power_cuts_at_every_durable_step(self):
        self.addCleanup(crash.disarm)
        for point in CRASH_POINTS:
            with self.subTest(point):
                sku, session, user = self.sku(4), unique("session-secret"), self.buyer()
                visitor, other, last = self.buyer(session), self.buyer(), self.sku(1)
                crash.arm(point)
                # The last one, and no later change behind which it would not be seen that this was done twice.
                other.put(last, 1)
                other.await_hold(last, "HELD", 60)
                visitor.put(sku, 1)
                visitor.put(sku, 2)
                visitor.await_hold(sku, "HELD", 60)
                user.merge(session)
                self.check_held_once(sku, [user], 2)
                self.assertFalse(crash.armed(), "the life of a hold does not lead there")
        stack.await_ready()
        self.await_caught_up()
        self.check()


if __name__ == "__main__":
    unittest.main()
