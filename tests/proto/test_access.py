"""The table of who may call what says the same as the options of the methods. That the services do so, too, is for e2e."""

import unittest

from support import access, contract


# What STAFF changes as anybody may: what is theirs.
AS_A_PERSON = {"commerce.cart.v1.Carts/CreateCart", "commerce.cart.v1.Carts/MergeCart", "commerce.cart.v1.Carts/RemoveItem",
               "commerce.cart.v1.Carts/SetItem", "commerce.identity.v1.StaffAccounts/AcceptInvitation", "commerce.mail.v1.Mails/Unsubscribe"}


class Access(unittest.TestCase):
    def test_table_and_options_say_the_same(self):
        table, options = access.table(), {method.path: access.of_contract(method) for method in contract.methods()}
        needed = {method.path: method.access["permission"] for method in contract.methods() if method.access.get("permission")}
        wrong = [access.row(path, who, needed.get(path)) for path, who in options.items()
                 if table.get(path) != who or access.permissions().get(path) != needed.get(path)]
        self.assertEqual([], wrong, f"by the options, these rows of {access.TABLE.name} should be so")
        self.assertEqual(set(), table.keys() - options.keys(), "no such methods")

    def test_a_permission_is_one_that_staff_are_given_and_can_use(self):
        for method in contract.methods():
            permission = method.access.get("permission")
            if permission:
                with self.subTest(method.path):
                    self.assertIn(permission, access.PERMISSIONS)
                    self.assertIn("ROLE_STAFF", method.access["roles"], "who else would it concern?")
                    self.assertFalse(method.access.get("public"), "anyone may call it")

    def test_what_staff_may_change_takes_a_permission(self):
        without = {method.path for method in contract.methods() if method.http and method.http[0] != "GET"
                   and "ROLE_STAFF" in method.access.get("roles", []) and not method.access.get("permission")}
        self.assertEqual(AS_A_PERSON, without)

    def test_the_rows_are_sorted(self):
        self.assertEqual(sorted(access.table()), list(access.table()))


if __name__ == "__main__":
    unittest.main()
