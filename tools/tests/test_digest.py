import pathlib
import tempfile
import unittest

import context  # noqa: F401
from bvtool.digest import digest

PASSED = '<testcase name="base_test" time="0.1" status="run"><system-out>[  PASSED  ] 3 tests.</system-out></testcase>'
GOOGLETEST = """<testcase name="relay_test" time="12.6" status="fail"><system-out>[ RUN      ] Relay.Moves
relay_test.cc:12: Failure
Expected equality of these values:
  sent
    Which is: 3
[  FAILED  ] Relay.Moves (5 ms)
{"level":"info","message":"stopped"}</system-out></testcase>"""
SILENT = '<testcase name="dead_test" time="1" status="fail"><system-out>one\ntwo</system-out></testcase>'


class DigestTest(unittest.TestCase):
    def digest(self, *cases):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.xml"
            report.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
            return digest(report)

    def test_a_run_without_failures_has_none(self):
        self.assertEqual(self.digest(PASSED), [])

    def test_a_failure_is_told_with_its_place_and_reason_and_without_the_log_around_it(self):
        lines = self.digest(PASSED, GOOGLETEST)
        self.assertIn("relay_test after 13 s", lines)
        self.assertIn("    relay_test.cc:12: Failure", lines)
        self.assertIn("        Which is: 3", lines)
        self.assertNotIn("    [ RUN      ] Relay.Moves", lines)
        self.assertEqual(lines[-1], "1 passed, 1 failed")

    def test_a_suite_that_says_nothing_telling_is_shown_with_its_last_lines(self):
        self.assertIn("    two", self.digest(SILENT))


if __name__ == "__main__":
    unittest.main()
