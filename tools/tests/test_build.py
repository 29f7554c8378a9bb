import unittest

import context  # noqa: F401
from bvtool import build, packages


class BuildTest(unittest.TestCase):
    def test_there_is_always_a_job(self):
        self.assertGreaterEqual(build.jobs(), 1)

    def test_ninjas_progress_is_understood(self):
        found = build.PROGRESS.match("[12/345] Building CXX object libs/base/CMakeFiles/bv_base.dir/money.cc.o")
        self.assertEqual(found.group(1, 2), ("12", "345"))
        self.assertIsNone(build.PROGRESS.match("money.cc:12: error: no"))

    def test_packages_are_named_once(self):
        self.assertEqual(len(packages.PACKAGES), len(set(packages.PACKAGES)))


if __name__ == "__main__":
    unittest.main()
