"""A hold ends when its time is over: its stock is back on sale within a second, also after inventory was away, and the order that it was
for is cancelled."""

import datetime
import signal
import unittest

from support import grpc, ledger, patient, postgres, stack, wait
from support.shop import Shop, unique

INVENTORIES = ("inventory", "inventory-2")
RESERVE = "commerce.inventory.v1.Inventory/ReserveStock"
HOLDS = 20
LATE_MAX = 5.0  # seconds; the aim is one, the rest is for a machine that has other things to do


class Expiry(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.sku = self.shop.product(1.00, stock=HOLDS)["sku"]
        self.where = f"tenant_id = '{self.shop.tenant}'"

    def available(self):
        return self.shop.stock(self.sku)["available"]

    def hold(self, qty, seconds):
        """Its id."""
        answer = grpc.call("inventory", RESERVE, {"reservationId": unique("hold"), "lines": [{"sku": self.sku, "qty": qty}],
                                                  "holdSeconds": seconds}, self.shop.token())
        self.assertEqual(answer.code, "OK", answer)
        return answer.json["reservationId"]

    def shorten(self, seconds=1.0):
        """All holds of the shop end so soon."""
        postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() + interval '{seconds} seconds' "
                         f"WHERE {self.where} AND status = 'HELD'")

    def await_all_expired(self):
        self.assertEqual(0, postgres.value(f"SELECT count(*) FROM inventory.reservation WHERE {self.where} AND status = 'HELD' "
                                           f"AND expires_at > now() + interval '10 seconds'"), "a hold that lasts")
        wait.until(lambda: postgres.value(
            f"SELECT NOT EXISTS (SELECT FROM inventory.reservation WHERE {self.where} AND status = 'HELD')"), 20, "all holds expired")

    def lateness(self):
        """Seconds from the end of each hold to the moment its stock was back, both by the database's clock; the longest last."""
        rows = postgres.rows(f"""
            SELECT extract(epoch FROM max(a.created_at) - r.expires_at) AS late
            FROM inventory.reservation r JOIN inventory.inventory_adjustment a USING (tenant_id, reservation_id)
            WHERE {self.where} AND r.status = 'EXPIRED' AND a.reserved_delta < 0 GROUP BY r.reservation_id, r.expires_at""")
        return sorted(row["late"] for row in rows)

    def test_a_hold_ends_in_time(self):
        # By gRPC, one after the other, so that they end one after the other.
        held = [self.hold(1, 1 + number % 2) for number in range(HOLDS)]
        self.await_all_expired()
        self.assertEqual(HOLDS, self.available())
        late = self.lateness()
        self.assertEqual(len(late), len(held))
        self.assertGreaterEqual(late[0], 0, "before its time")
        self.assertLess(late[-1], LATE_MAX)
        print(f"{len(late)} holds were back on sale {late[len(late) // 2]:.3f} s (median), {late[-1]:.3f} s (most) after their end")
        read = self.shop.must(200, self.shop.staff.get(f"/api/v1/reservations/{held[0]}"))
        self.assertEqual(read["status"], "EXPIRED")
        ledger.check_stock(self, self.shop.tenant)

    def test_inventory_hangs_over_the_end(self):
        self.over_the_end(signal.SIGCONT)

    def test_inventory_is_dead_over_the_end(self):
        self.over_the_end(signal.SIGKILL)

    def over_the_end(self, then):
        held = self.hold(HOLDS, 2)
        pids = {name: stack.send_signal(name, signal.SIGSTOP) for name in INVENTORIES}
        try:
            wait.until(lambda: postgres.value(f"SELECT expires_at < now() FROM inventory.reservation WHERE {self.where}"), 20,
                       "the end of the hold")
            self.assertEqual("HELD", postgres.value(f"SELECT status FROM inventory.reservation WHERE {self.where}"))
        finally:
            for name in INVENTORIES:
                stack.send_signal(name, then)
        if then == signal.SIGKILL:
            for name, pid in pids.items():
                stack.await_restart(name, pid)
        began = datetime.datetime.now()
        wait.until(lambda: self.available() == HOLDS, 20, "the stock back on sale")
        took = (datetime.datetime.now() - began).total_seconds()
        self.assertLess(took, LATE_MAX)
        print(f"back on sale {took:.3f} s after inventory was")
        self.assertEqual("EXPIRED", postgres.value(
            f"SELECT status FROM inventory.reservation WHERE {self.where} AND reservation_id = '{held}'"))
        ledger.check_stock(self, self.shop.tenant)

    def test_an_order_that_is_not_paid_in_time_is_cancelled_and_others_can_buy(self):
        order = self.shop.must(201, self.shop.order([(self.sku, HOLDS)]))
        self.assertIn("holdExpiresAt", order)
        late_buyer = unique("key")
        self.assertEqual(409, self.shop.order([(self.sku, 1)]).status)
        self.shorten()
        # Buyers who ask again and again are served as soon as there is stock.
        wait.until(lambda: self.shop.order([(self.sku, HOLDS)], late_buyer).status == 201, 20, "the stock back on sale")

        path = f"/api/v1/orders/{order['orderId']}"
        canceled = wait.until(lambda: self.status_of(path) == "CANCELED" and self.shop.customer.get(path).json, 20, "the order cancelled")
        self.assertEqual((canceled["cancelReason"], canceled["paymentStatus"]), ("EXPIRED", "PENDING"))
        self.assertNotIn("holdExpiresAt", canceled)
        history = self.shop.must(200, self.shop.customer.get(f"{path}/history"))["entries"]
        self.assertEqual([(entry["status"], entry["reason"]) for entry in history], [("PENDING", "CREATED"), ("CANCELED", "EXPIRED")])
        refused = patient.post(self.shop.customer, f"{path}/pay")
        self.assertEqual((409, "HOLD_EXPIRED"), (refused.status, refused.json["code"]))
        self.assertEqual((HOLDS, 0), (self.shop.stock(self.sku)["reserved"], self.available()))
        self.assertLess(self.lateness()[-1], LATE_MAX)
        ledger.check_orders(self, self.shop.tenant)

    def status_of(self, path):
        return self.shop.must(200, self.shop.customer.get(path))["status"]


if __name__ == "__main__":
    unittest.main()
