import copy
import json
import pathlib
import tempfile
import unittest

import context  # noqa: F401
from bvtool import audit
from bvtool.console import Failure


def sample(n):
    """As Sample of services/audit-trail/domain/entry_test.cc."""
    return {"number": n, "entry_id": f"018bf9e5-5400-7fd4-b89a-60db4739b1a{n}", "occurred_at": 1_700_000_000_123_456, "actor": "eve", "role": "ADMIN",
            "action": "price.override_set", "object_type": "price", "object_id": "TENT-2", "outcome": "DONE", "reason": "",
            "before": '{"price":25.00}', "after": '{"price":19.99,"note":"für alle"}', "correlation_id": "corr-7",
            "recorded_at": 1_700_000_001_000_000}


def chain(count, tenant="acme"):
    entries, last = [], audit.NO_HASH
    for n in range(1, count + 1):
        entry = {**sample(n), "previous_hash": last}
        last = entry["hash"] = audit.hash_of(tenant, entry)
        entries.append(entry)
    return entries


def end_of(entries):
    return {"tenant": "acme", "number": entries[-1]["number"], "hash": entries[-1]["hash"], "last": entries[-1]["number"]}


class Audit(unittest.TestCase):
    def setUp(self):
        self.entries = chain(5)
        self.end = end_of(self.entries)

    def defect(self, entries=None, end=None, noted=()):
        """(number, kind), or None."""
        result = audit.verify_entries("acme", self.entries if entries is None else entries, end or self.end, noted)
        return result.defect and (result.defect.number, result.defect.kind)

    def test_the_hash_is_that_of_the_service(self):
        self.assertEqual("312f59854771ab280857f93026919fb492d7c9fee8bfc5296be31f9cf4605b48", self.entries[0]["hash"])

    def test_a_whole_chain(self):
        self.assertIsNone(self.defect())
        self.assertIsNone(self.defect([], {"tenant": "acme", "number": 0, "hash": None, "last": 0}))

    def test_every_field_counts(self):
        for name in audit.COLUMNS:
            if name not in ("number", "previous_hash", "hash"):
                with self.subTest(name):
                    entries = copy.deepcopy(self.entries)
                    entries[2][name] = entries[2][name] + 1 if name in audit.TIMES else entries[2][name] + "x"
                    self.assertEqual((3, "CHANGED"), self.defect(entries))

    def test_what_was_changed_and_hashed_again(self):
        self.entries[2]["actor"] = "mallory"
        self.entries[2]["hash"] = audit.hash_of("acme", self.entries[2])
        self.assertEqual((4, "MOVED"), self.defect())

    def test_what_was_removed_or_swapped(self):
        self.assertEqual((3, "MISSING"), self.defect(self.entries[:2] + self.entries[3:]))
        self.assertEqual((1, "MISSING"), self.defect(self.entries[1:]))
        one, other = self.entries[1], self.entries[3]
        one["number"], other["number"] = other["number"], one["number"]
        self.assertEqual((2, "CHANGED"), self.defect(sorted(self.entries, key=lambda entry: entry["number"])))

    def test_an_end_that_was_cut_off(self):
        self.assertEqual((4, "CUT_OFF"), self.defect(self.entries[:3]))
        # Whoever sets the noted end back as well is found by what was noted elsewhere.
        shorter = self.entries[:3]
        self.assertIsNone(self.defect(shorter, end_of(shorter)))
        self.assertEqual((4, "CUT_OFF"), self.defect(shorter, end_of(shorter), {5: self.end["hash"]}))
        self.assertEqual((1, "CUT_OFF"), self.defect([], {"tenant": "acme", "number": 0, "hash": None, "last": 0}, {5: self.end["hash"]}))
        self.assertEqual((6, "CUT_OFF"), self.defect(end={**self.end, "last": 7}))

    def test_a_chain_that_was_made_anew(self):
        noted = {3: self.entries[2]["hash"]}
        self.assertIsNone(self.defect(noted=noted))
        last = self.entries[0]["hash"]
        self.entries[1]["actor"] = "mallory"
        for entry in self.entries[1:]:
            entry["previous_hash"] = last
            last = entry["hash"] = audit.hash_of("acme", entry)
        self.assertIsNone(self.defect(end=end_of(self.entries)))
        self.assertEqual((3, "CHANGED"), self.defect(end=end_of(self.entries), noted=noted))

    def test_heads_are_read_from_a_log(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "log")
            line = {"message": "head of an audit chain", "chain": "acme", "number": 5, "hash": "ab"}
            log.write_text('not JSON\n{"message": "ready"}\n' + json.dumps(line) + "\n" + json.dumps({**line, "number": 7}) + "\n", encoding="utf-8")
            self.assertEqual({"acme": {5: "ab", 7: "ab"}}, audit.read_heads(log))
            log.write_text("{}\n", encoding="utf-8")
            with self.assertRaises(Failure):
                audit.read_heads(log)


if __name__ == "__main__":
    unittest.main()
