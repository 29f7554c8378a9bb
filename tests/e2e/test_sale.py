"""A sale of one SKU while inventory is killed again and again, one replica after the other: exactly what was there is sold."""

import queue
import signal
import threading
import unittest

from support import http, ledger, patient, postgres, stack, wait
from support.shop import Shop, order_body, unique

UNITS = 1000
BUYERS = 3000
KILLS = 20
WAVE = 48  # buyers that come for each kill; all waves together leave some for the last
THREADS = 16
VICTIMS = ("inventory", "inventory-2")


class Sale:
    """Buyers who each want one piece, and ask until they are answered. They come when they are let in."""

    def __init__(self, shop, sku):
        self._shop = shop
        self._sku = sku
        self._door = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.answers = {}  # key: answer
        self.failures = []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def let_in(self, count):
        for _ in range(count):
            self._door.put(unique("buyer"))

    def close(self):
        """Waits until everybody who was let in has been answered."""
        for _ in self._threads:
            self._door.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, number):
        client = http.Client(self._shop.token(user=f"customer-{number}"))
        for key in iter(self._door.get, None):
            try:
                answer = patient.post(client, "/api/v1/orders", order_body([(self._sku, 1)]), key)
                with self._lock:
                    self.answers[key] = answer
            except Exception as error:  # whatever it is, the test must not pass over it
                with self._lock:
                    self.failures.append(repr(error))
        client.close()


class SaleUnderFire(unittest.TestCase):
    def test_exactly_what_is_there_is_sold(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(1.00, stock=UNITS)["sku"]
        sale = Sale(shop, sku)
        for kill in range(KILLS):
            before = len(sale.answers)
            sale.let_in(WAVE)
            # In the middle of the wave.
            wait.until(lambda: len(sale.answers) >= before + WAVE // 4, 60, "buyers who are answered", every=0.01)
            victim = VICTIMS[kill % len(VICTIMS)]
            stack.await_restart(victim, stack.send_signal(victim, signal.SIGKILL))
        sale.let_in(BUYERS - KILLS * WAVE)
        sale.close()

        self.assertEqual([], sale.failures, "buyers who were never answered")
        sold = {answer.json["orderId"] for answer in sale.answers.values() if answer.status == 201}
        refused = [answer for answer in sale.answers.values() if answer.status != 201]
        self.assertEqual({(409, "OUT_OF_STOCK")}, {(answer.status, answer.json["code"]) for answer in refused})
        self.assertEqual((UNITS, BUYERS - UNITS), (len(sold), len(refused)))
        stored = {row["order_id"] for row in postgres.rows(f"SELECT order_id FROM orders.orders WHERE tenant_id = '{shop.tenant}'")}
        self.assertEqual(sold, stored, "what was answered is what is stored")
        stock = shop.stock(sku)
        self.assertEqual((UNITS, UNITS, 0), (stock["onHand"], stock["reserved"], stock["available"]))
        self.assertEqual(UNITS, postgres.value(
            f"SELECT sum(qty) FROM inventory.reservation_line JOIN inventory.reservation USING (tenant_id, reservation_id) "
            f"WHERE tenant_id = '{shop.tenant}' AND status = 'HELD'"))
        ledger.check_stock(self, shop.tenant)
        ledger.check_orders(self, shop.tenant)


if __name__ == "__main__":
    unittest.main()
