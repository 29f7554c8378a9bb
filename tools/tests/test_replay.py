import unittest

import context  # noqa: F401
from bvtool import replay
from bvtool.console import Failure

PARITY = {"rows_live": "2", "rows_rebuilt": "1", "sums": [{"column": "paid_orders", "live": "2", "rebuilt": "1"}], "buckets_different": 1,
          "differences": [{"tenant_id": "acme", "key": "day=2026-11-22", "live": "paid_orders=2", "rebuilt": "missing"}]}


def ended(state, purpose="REBUILD", parity=None, **changes):
    return {"replay_id": "rpl_1", "projection": "daily_revenue", "purpose": purpose, "state": state, "rows_version": 3, "live_version": 2,
            "messages_applied": "1000", "messages_in_all": "1000", "messages_per_second": 0, "messages_refused": "0", "parity": parity,
            "failure": "", **changes}


class ReplayTest(unittest.TestCase):
    def test_a_request_says_what_was_asked_for(self):
        self.assertEqual(replay.request_of("daily_revenue"), {
            "projection": "daily_revenue", "purpose": "PURPOSE_REBUILD", "accept_differences": False, "pass_over_refused": False})
        self.assertEqual(replay.request_of("daily_revenue", verify=True)["purpose"], "PURPOSE_VERIFY")
        until = replay.request_of("daily_revenue", until="2026-11-22T09:30:00+01:00")
        self.assertEqual((until["purpose"], until["time"]), ("PURPOSE_POINT_IN_TIME", "2026-11-22T08:30:00Z"))
        until = replay.request_of("daily_revenue", until_offsets=["ecommerce.order.order:3=17"])
        self.assertEqual(until["offsets"], {"offsets": [{"topic": "ecommerce.order.order", "partition": 3, "offset": "17"}]})

    def test_what_cannot_be_meant_is_refused(self):
        for wrong in ({"until": "yesterday"}, {"until": "2026-11-22T09:30:00"}, {"until_offsets": ["topic=3"]},
                      {"until": "2026-11-22T08:30:00Z", "verify": True}, {"until": "2026-11-22T08:30:00Z", "until_offsets": ["t:0=1"]}):
            with self.subTest(wrong), self.assertRaises(Failure):
                replay.request_of("daily_revenue", **wrong)

    def test_the_exit_code_is_0_when_all_is_well(self):
        self.assertEqual([replay.exit_code(ended(state)) for state in ("DONE", "DIFFERENT", "FAILED", "CANCELED")], [0, 1, 1, 1])

    def test_the_progress_has_a_rate_and_what_remains(self):
        running = ended("BUILDING", messages_in_all="5000", messages_per_second=2000.0)
        self.assertEqual(replay.progress(running), "building   1,000 of 5,000 messages, 2,000/s, 2 s left")
        self.assertEqual(replay.progress(ended("DONE")), "done       1,000 of 1,000 messages")

    def test_the_verdict_names_what_differs(self):
        text = "\n".join(replay.verdict(ended("DIFFERENT", "VERIFY", PARITY)))
        for part in ("different: ", "acme  day=2026-11-22", "live     paid_orders=2", "rebuilt  missing", "paid_orders 2 live, 1 rebuilt"):
            self.assertIn(part, text)

    def test_every_end_has_its_words(self):
        equal = {**PARITY, "buckets_different": 0, "differences": []}
        for state, purpose, parity, words in (
                ("DONE", "REBUILD", equal, "is read from version 3 now, which was equal"),
                ("DONE", "REBUILD", PARITY, "which mends what differed"),
                ("DONE", "VERIFY", equal, "equal: the rows of daily_revenue are what the log says"),
                ("DONE", "POINT_IN_TIME", None, "stand beside the live ones as version 3"),
                ("DIFFERENT", "REBUILD", PARITY, "Version 2 is read as before; version 3 stays"),
                ("FAILED", "REBUILD", None, "failed: EVENT_REFUSED"), ("FAILED", "VERIFY", None, "Nothing was changed"),
                ("CANCELED", "REBUILD", None, "canceled, and its rows are gone")):
            with self.subTest(f"{state} {purpose}"):
                self.assertIn(words, "\n".join(replay.verdict(ended(state, purpose, parity, failure="EVENT_REFUSED: x", messages_refused="3"))))


if __name__ == "__main__":
    unittest.main()
