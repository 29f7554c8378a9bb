"""What must hold of a tenant's rows and events at rest, whatever happened before."""

import collections
import unittest

from support import kafka, postgres, wait


def check_stock(test: unittest.TestCase, tenant):
    """Stock is never negative, and what is reserved is what reservations hold and what the ledger says."""
    where = f"tenant_id = '{tenant}'"
    wrong = postgres.rows(f"""
        SELECT s.sku, s.location_code, s.on_hand, s.reserved, s.buffer, coalesce(held.qty, 0) AS held,
               ledger.on_hand AS ledger_on_hand, ledger.reserved AS ledger_reserved
        FROM inventory.inventory_stock s
        LEFT JOIN (SELECT l.sku, l.location_code, sum(l.qty) AS qty
                   FROM inventory.reservation_line l JOIN inventory.reservation r USING (tenant_id, reservation_id)
                   WHERE l.{where} AND r.status = 'HELD' GROUP BY 1, 2) held USING (sku, location_code)
        LEFT JOIN (SELECT sku, location_code, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                   FROM inventory.inventory_adjustment WHERE {where} GROUP BY 1, 2) ledger USING (sku, location_code)
        WHERE s.{where} AND (s.on_hand - s.reserved - s.buffer < 0 OR s.reserved <> coalesce(held.qty, 0)
                             OR s.on_hand <> coalesce(ledger.on_hand, 0) OR s.reserved <> coalesce(ledger.reserved, 0))""")
    test.assertEqual([], wrong, "stock, reservations and ledger disagree")


def check_orders(test: unittest.TestCase, tenant):
    """Every order holds the stock of its items, and has exactly one event in the outbox."""
    where = f"tenant_id = '{tenant}'"
    wrong = postgres.rows(f"""
        SELECT o.order_id, r.status AS reservation, count(e.id) AS events,
               (SELECT sum(qty) FROM orders.order_items i WHERE i.{where} AND i.order_id = o.order_id) AS ordered,
               (SELECT sum(qty) FROM inventory.reservation_line l WHERE l.{where} AND l.reservation_id = o.order_id) AS held
        FROM orders.orders o
        LEFT JOIN inventory.reservation r ON r.{where} AND r.reservation_id = o.order_id
        LEFT JOIN outbox.event e ON e.{where} AND e.aggregateid = o.order_id AND e.type = 'ecommerce.order.order.created.v1'
        WHERE o.{where} GROUP BY o.order_id, r.status""")
    test.assertTrue(wrong, "there are no orders")
    test.assertEqual([], [row for row in wrong if row["reservation"] != "HELD" or row["events"] != 1 or row["ordered"] != row["held"]])


def check_events(test: unittest.TestCase, tenant, tails, within=60):
    """Waits until every event of the outbox is on Kafka, then compares: the same bytes, none that was not committed, and by key the
    first copies in the order of the commits. Returns the messages that are further copies."""
    rows = {row["id"]: row for row in postgres.rows(
        f"SELECT id::text, seq, aggregatetype, aggregateid, payload FROM outbox.event WHERE tenant_id = '{tenant}'")}

    def messages():
        return [(topic, message) for topic, tail in tails.items() for message in tail.messages()
                if message.header.get("tenantId") == tenant]

    def all_there():
        return not rows.keys() - {message.header["ce_id"] for _, message in messages()}
    try:
        wait.until(all_there, within, "every event on Kafka", every=0.2)
    except AssertionError:
        missing = rows.keys() - {message.header["ce_id"] for _, message in messages()}
        raise AssertionError(f"{len(missing)} of {len(rows)} events did not come to Kafka, for example {sorted(missing)[:3]}") from None

    copies, first_seqs, seen = [], collections.defaultdict(list), set()
    for topic, message in messages():
        number = message.header["ce_id"]
        row = rows.get(number)
        if row is None:
            test.fail(f"an event that was never committed: {message}")
        test.assertEqual((topic, message.key, message.value), (row["aggregatetype"], row["aggregateid"], row["payload"]))
        if number in seen:
            copies.append(message)
        else:
            seen.add(number)
            first_seqs[topic, message.key].append(row["seq"])
    out_of_order = {key: seqs for key, seqs in first_seqs.items() if seqs != sorted(seqs)}
    test.assertEqual({}, out_of_order, "events of a key came in another order than they were committed")
    return copies


def tails(since):
    """{topic: Tail} of everything that an order touches."""
    return {topic: kafka.Tail(topic, since) for topic in (kafka.ORDERS, kafka.STOCK, kafka.PRODUCTS)}
