import unittest

import context  # noqa: F401
from bvtool import console


class ConsoleTest(unittest.TestCase):
    def test_a_duration_is_as_exact_as_it_needs_to_be(self):
        self.assertEqual([console.duration(s) for s in (0.04, 59.9, 61, 3661, 90000)],
                         ["0.0 s", "59.9 s", "1 min 01 s", "1 h 01 min", "1 d 01 h"])

    def test_numbers_of_a_table_stand_to_the_right(self):
        self.assertEqual(console.table([["a", 5], ["bcd", 10]], ["NAME", "PORT"]), ["NAME  PORT", "a        5", "bcd     10"])


if __name__ == "__main__":
    unittest.main()
