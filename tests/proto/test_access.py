"""The table of who may call what says the same as the options of the methods. That the services do so, too, is for e2e."""

import unittest

from support import access, contract


class Access(unittest.TestCase):
    def test_table_and_options_say_the_same(self):
        table, options = access.table(), {method.path: access.of_contract(method) for method in contract.methods()}
        wrong = [access.row(path, who) for path, who in options.items() if table.get(path) != who]
        self.assertEqual([], wrong, f"by the options, these rows of {access.TABLE.name} should be so")
        self.assertEqual(set(), table.keys() - options.keys(), "no such methods")

    def test_the_rows_are_sorted(self):
        self.assertEqual(sorted(access.table()), list(access.table()))


if __name__ == "__main__":
    unittest.main()
