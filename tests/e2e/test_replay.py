"""Read models made anew while orders go on: equal to the live ones, whoever is killed meanwhile; what was damaged in the live ones is named
and mended; and what was read once can be had again. All by `tools/bv replay`, as an operator does it."""

import datetime
import json
import signal
import subprocess
import sys
import threading
import unittest

from e2e import test_analytics as analytics
from e2e import test_crash_points
from support import crash, gateways, ledger, postgres, stack, wait
from support.lives import Lives

ORDERS, REVENUE = "orders_by_customer", "daily_revenue"
# In the order in which a rebuild comes to them.
OF_REBUILD = ("replay.start.stored", "replay.lease.stored", "replay.progress.stored", "projections.rebuild.applied", "replay.comparing.stored",
              "replay.parity.stored", "projections.switch.written", "replay.rows.switched", "replay.end.stored")
OF_VERIFY = ("projections.drop.part", "replay.rows.dropped")
OF_CANCEL = ("replay.cancel.stored",)
PATIENCE = 60  # seconds


def command(projection, *flags):
    return [sys.executable, "-B", str(stack.BV), "replay", projection, "--stack", stack.env("BV_STACK"), *flags]


def bv(projection, *flags):
    """(exit code, what it says)"""
    done = subprocess.run(command(projection, *flags), capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def status(projection):
    return json.loads(bv(projection, "--status", "--json")[1])


class Replays(analytics.Reader):
    def setUp(self):
        stack.await_ready("analytics", "replay")
        for projection in (ORDERS, REVENUE):
            self.addCleanup(self.tidy_up, projection)

    def tidy_up(self, projection):
        """Leaves the live rows alone in their tables."""
        crash.disarm()
        stack.await_ready("analytics", "replay")
        bv(projection, "--cancel")
        now = status(projection)
        for version in now["rows_versions"]:
            if version != now["live_version"]:
                bv(projection, "--drop", str(version))

    def ends_well(self, projection, *flags):
        """Returns what it says."""
        code, said = bv(projection, *flags)
        self.assertEqual(0, code, said)
        return said

    def shop_with_orders(self):
        """A new shop with two orders that are paid, one given back, and one that is not, which the read models have."""
        shop = self.shop()
        product = shop.product(25.00, stock=100)
        self.buy(shop, product)
        self.cancel(shop, self.buy(shop, product, 2))
        shop.must(201, shop.order([(product["sku"], 1)]))
        self.follows(lambda: self.daily(shop), {"USD": (75, 2, 50, 1, 25)})
        self.follows(lambda: len(self.orders(shop, query="&userId=ada")), 3)
        return shop, product

    def rows(self, projection, version, tenant):
        return postgres.rows(f"SELECT to_jsonb(r) - 'rows_version' AS row FROM analytics.{projection} r WHERE tenant_id = '{tenant}' "
                             f"AND rows_version = {version} ORDER BY 1")


class UnderLoad(Replays):
    """Orders are placed, paid and given back all the time."""

    def setUp(self):
        super().setUp()
        self.orders_shop = self.shop()
        self.skus = Lives.prepare(self.orders_shop)
        self.addCleanup(gateways.behave)
        self.addCleanup(crash.disarm)
        self.over, self.problems = threading.Event(), []
        self.customers = [threading.Thread(target=self.live, args=(f"buyer-{i}",)) for i in range(2)]
        for customer in self.customers:
            customer.start()
        self.addCleanup(self.end)

    def live(self, user):
        lives = Lives(self.orders_shop, self.skus, user)
        kinds = (Lives.paid_and_shipped, Lives.paid_and_refunded, Lives.withdrawn)
        try:
            for number in range(10_000):
                if self.over.is_set():
                    return
                kinds[number % len(kinds)](lives)
        except Exception as problem:  # pylint: disable=broad-except  # the main thread says it
            self.problems.append(problem)
        finally:
            lives.close()

    def end(self):
        self.over.set()
        for customer in self.customers:
            customer.join()

    def is_right(self):
        """All that was bought stands in the read models, once."""
        self.end()
        self.assertEqual([], self.problems)
        ledger.await_rest(self, self.orders_shop.tenant, PATIENCE)
        expected = analytics.Killed.expected(self.orders_shop)
        self.assertGreater(expected["USD"][1], 5)
        self.follows(lambda: self.daily(self.orders_shop), expected)
        owned = postgres.rows(f"SELECT order_id, status FROM orders.orders WHERE tenant_id = '{self.orders_shop.tenant}' AND user_id = 'buyer-0' "
                              "ORDER BY order_id DESC LIMIT 100")
        self.follows(lambda: [(o["orderId"], o["status"]) for o in self.orders(self.orders_shop, query="&userId=buyer-0")],
                     [(o["order_id"], o["status"]) for o in owned])

    def test_rows_made_anew_are_equal_and_read(self):
        for projection in (ORDERS, REVENUE):
            before = status(projection)["live_version"]
            said = self.ends_well(projection)
            self.assertIn("equal", said)
            self.assertGreater(status(projection)["live_version"], before)
        self.is_right()
        for projection in (ORDERS, REVENUE, "inventory_snapshot", "revenue_by_minute"):
            self.assertIn("equal", self.ends_well(projection, "--verify"))

    def killed_at(self, point, projection, *flags):
        with self.subTest(point):
            crash.arm(point)
            self.ends_well(projection, *flags)
            self.assertFalse(crash.armed(), "it was not killed there")

    def test_killed_at_every_step(self):
        for point in OF_REBUILD:
            self.killed_at(point, REVENUE)
        for point in OF_VERIFY:
            self.killed_at(point, REVENUE, "--verify")
        self.is_right()

    def test_analytics_killed_meanwhile(self):
        for projection in (REVENUE, ORDERS):
            with subprocess.Popen(command(projection), stdout=subprocess.PIPE, text=True) as running:
                pid = stack.send_signal("analytics", signal.SIGKILL)
                said = running.communicate(timeout=PATIENCE)[0]
            self.assertEqual(0, running.returncode, said)
            stack.await_restart("analytics", pid)
        self.is_right()


class CrashPoints(unittest.TestCase):
    def test_none_is_left_out(self):
        found = {point for path in (stack.ROOT / "services" / "replay").rglob("*.cc")
                 for point in test_crash_points.POINT.findall(path.read_text(encoding="utf-8"))}
        self.assertEqual(found, {point for point in (*OF_REBUILD, *OF_VERIFY, *OF_CANCEL) if point.startswith("replay.")})


class Operator(Replays):
    def test_what_is_damaged_is_named_and_mended(self):
        shop, _ = self.shop_with_orders()
        live = status(ORDERS)["live_version"]
        right = self.rows(ORDERS, live, shop.tenant)
        self.assertIn("equal", self.ends_well(ORDERS, "--verify"))
        first, second = (row["row"]["order_id"] for row in right[:2])
        where = f"WHERE tenant_id = '{shop.tenant}' AND rows_version = {live} AND order_id ="
        postgres.execute(f"UPDATE analytics.{ORDERS} SET total_amount = 1 {where} '{first}'")
        postgres.execute(f"DELETE FROM analytics.{ORDERS} {where} '{second}'")
        postgres.execute(f"INSERT INTO analytics.{ORDERS} (tenant_id, rows_version, user_id, order_id, placed_version, total_amount, currency, "
                         f"created_at, state_version) VALUES ('{shop.tenant}', {live}, 'eve', 'ord_nobodys', 1, 5, 'USD', now(), 0)")
        for flags in (["--verify"], []):
            code, said = bv(ORDERS, *flags)
            self.assertEqual(1, code, said)
            for part in (f"{shop.tenant}  user_id=ada order_id={first}", "total_amount=1", f"order_id={second}", "user_id=eve order_id=ord_nobodys",
                         "missing"):
                self.assertIn(part, said)
            self.assertEqual(live, status(ORDERS)["live_version"])
        self.ends_well(ORDERS, "--accept-differences")
        self.assertEqual(right, self.rows(ORDERS, status(ORDERS)["live_version"], shop.tenant))
        self.assertEqual(3, len(self.orders(shop, query="&userId=ada")))
        self.assertIn("equal", self.ends_well(ORDERS, "--verify"))

    def test_rows_as_they_were(self):
        shop, product = self.shop_with_orders()
        live = status(REVENUE)["live_version"]
        then = self.rows(REVENUE, live, shop.tenant)
        # Records have whole milliseconds.
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=2)
        wait.until(lambda: datetime.datetime.now(datetime.timezone.utc) > moment)
        self.buy(shop, product)
        self.follows(lambda: self.daily(shop), {"USD": (100, 3, 50, 1, 50)})
        said = json.loads(self.ends_well(REVENUE, "--until", moment.isoformat(), "--json"))
        self.assertEqual(then, self.rows(REVENUE, said["rows_version"], shop.tenant))
        self.assertEqual(live, status(REVENUE)["live_version"])
        self.assertEqual({"USD": (100, 3, 50, 1, 50)}, self.daily(shop))
        self.ends_well(REVENUE, "--drop", str(said["rows_version"]))
        self.assertEqual([], self.rows(REVENUE, said["rows_version"], shop.tenant))

    def test_canceled_in_the_middle(self):
        self.shop_with_orders()
        for point in (None, *OF_CANCEL):
            with self.subTest(point):
                self.cancel_in_the_middle(point)

    def cancel_in_the_middle(self, point):
        live = status(REVENUE)["live_version"]
        with postgres.locked(f"LOCK TABLE analytics.{REVENUE} IN EXCLUSIVE MODE"):
            with subprocess.Popen(command(REVENUE), stdout=subprocess.PIPE, text=True) as running:
                wait.until(lambda: any(r["state"] == "BUILDING" for r in status(REVENUE)["replays"]) and postgres.waiting_for_lock("analytics"))
                if point:
                    crash.arm(point)
                with subprocess.Popen(command(REVENUE, "--cancel"), stdout=subprocess.PIPE, text=True) as canceling:
                    wait.until(lambda: self.wishes() if point is None else not crash.armed(), every=0.01)
                    # Also when it was killed, and before the command, which is patient, asks again.
                    stored = self.wishes()
                    wait.until(self.wishes)
                    postgres.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                                     f"WHERE relation = 'analytics.{REVENUE}'::regclass AND mode = 'ExclusiveLock' AND granted")
                    self.assertIn("canceled", canceling.communicate(timeout=PATIENCE)[0])
                self.assertIn("canceled", running.communicate(timeout=PATIENCE)[0])
                self.assertEqual(1, running.returncode)
        self.assertEqual(1, stored)
        now = status(REVENUE)
        self.assertEqual((live, "CANCELED"), (now["live_version"], now["replays"][0]["state"]))
        self.assertNotIn(now["replays"][0]["rows_version"], now["rows_versions"])
        self.assertIn("Nothing of daily_revenue is being replayed", bv(REVENUE, "--cancel")[1])

    @staticmethod
    def wishes():
        return postgres.value("SELECT count(*) FROM replay.replay WHERE cancel_requested AND ended_at IS NULL")

    def test_what_cannot_be_is_said(self):
        live = status(ORDERS)["live_version"]
        for flags, words in (([ORDERS, "--drop", str(live)], "ROWS_IN_USE"), (["customers"], "must be one of orders_by_customer"),
                             ([ORDERS, "--until", "2199-01-01T00:00:00Z"], "must not lie in the future"),
                             ([ORDERS, "--until-offsets", "ecommerce.order.order:99=1"], "reads no such partition"),
                             ([ORDERS, "--verify", "--accept-differences"], "only REBUILD")):
            with self.subTest(flags):
                code, said = bv(*flags)
                self.assertEqual(1, code)
                self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()
