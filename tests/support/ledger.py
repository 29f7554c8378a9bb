"""What must hold of a tenant's rows and events at rest, whatever happened before."""

import collections
import json
import subprocess
import sys
import unittest

from support import kafka, postgres, stack, wait


def books(tenant, grace=None):
    """What `tools/bv check` says: {invariant: what is wrong}, of this tenant, and how many orders it looked at. `grace` in seconds."""
    done = subprocess.run([sys.executable, "-B", str(stack.BV), "check", "--json", "--stack", stack.env("BV_STACK"), "--tenant", tenant,
                           *([] if grace is None else ["--grace", str(grace)])],
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode not in (0, 1) or done.stderr:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)["invariants"]
    return {one["name"]: [line["text"] for line in one["found"]] for one in found if one["wrong"]}, \
        next(one["rows"] for one in found if one["name"] == "order-total")


def check_stock(test: unittest.TestCase, tenant):
    """Stock is never oversold, and what is reserved is what reservations hold and what the ledger says."""
    wrong, _ = books(tenant)
    test.assertEqual({}, wrong)


def check_orders(test: unittest.TestCase, tenant, within=30):
    """There are orders; each has its stock, money, history and events, once. Never is anything wrong that time does not mend, and
    what is under way comes to its end in time."""
    wrong, orders = books(tenant)
    test.assertEqual({}, wrong)
    test.assertTrue(orders, "there are no orders")
    await_rest(test, tenant, within)


def await_rest(test: unittest.TestCase, tenant, within=30):
    """Waits until nothing of the tenant is under way and nothing is wrong."""
    wrong = {}

    def at_rest():
        nonlocal wrong
        wrong, _ = books(tenant, grace=0)
        return not wrong
    try:
        wait.until(at_rest, within, "everything at rest", every=0.2)
    except AssertionError:
        test.assertEqual({}, wrong, f"not at rest within {within} s")


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
    """{topic: Tail} of all topics that events of the outbox go to."""
    return {topic: kafka.Tail(topic, since) for topic in kafka.topics()}
