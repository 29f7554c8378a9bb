import contextlib
import io
import unittest

import context  # noqa: F401
from bvtool import check, invariants

ONE = invariants.ALL[0]


def shown(*results):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        check.show(check.Report("dev", "2026-11-21 12:00:00 UTC", 0.5, results))
    return out.getvalue()


class CheckTest(unittest.TestCase):
    def test_invariants_have_names_of_their_own_and_a_group(self):
        names = [one.name for one in invariants.ALL]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({one.group for one in invariants.ALL}, set(invariants.GROUPS))

    def test_what_is_counted_has_a_word(self):
        self.assertEqual(set(), {one.table for one in invariants.ALL} - check.WORDS.keys())

    def test_all_of_it_is_one_snapshot_that_changes_nothing(self):
        script = check.script()
        self.assertTrue(script.startswith("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"))
        self.assertEqual((script.count("BEGIN"), script.count("COMMIT;")), (1, 1))
        for one in invariants.ALL:
            self.assertIn(f"'name', '{one.name}'", script)

    def test_a_sound_stack_is_one_line_an_invariant_and_what_was_proved(self):
        text = shown(check.Result(ONE, rows=1200))
        self.assertIn(f"{ONE.holds} (1,200)", text)
        self.assertIn("1,200 places with stock. Nothing oversold, lost or doubled.", text)

    def test_what_is_wrong_is_said_with_its_tenant_and_what_it_means(self):
        found = tuple({"tenant": "shop", "subject": f"SKU-{n}", "text": f"SKU SKU-{n} is wrong"} for n in range(check.SHOWN + 5))
        text = shown(check.Result(ONE, rows=20, wrong=len(found) + 7, found=found), check.Result(invariants.ALL[1], rows=20))
        self.assertIn(f"{len(found) + 7} times not so: {ONE.holds}", text)
        self.assertIn("shop: SKU SKU-0 is wrong", text)
        self.assertIn("and 12 more", text)
        self.assertIn(ONE.means, text)
        self.assertIn(f"{len(found) + 7} wrong.", text)
        self.assertNotIn("Nothing oversold", text)

    def test_what_could_not_be_looked_at_is_not_called_proved(self):
        text = shown(check.Result(ONE, absent="payment.payment"))
        self.assertIn("skipped, there is no payment.payment", text)
        self.assertIn("checked in 0.5 s: nothing.", text)


if __name__ == "__main__":
    unittest.main()
