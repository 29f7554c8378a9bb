import unittest

import context  # noqa: F401
from bvtool import gateways
from bvtool.gateways import Account

KEY = ("SOAP", "shop", "ord_1")
CHARGED, REFUNDED, NOTHING = {KEY: Account("USD", 500)}, {KEY: Account("USD", 500, 500)}, {}


def payment(status, gateway="SOAP", amount=500):
    return {"tenant": "shop", "order": "ord_1", "payment": "pay_1", "amount": amount, "currency": "USD", "status": status,
            "gateway": gateway}


class GatewaysTest(unittest.TestCase):
    def said(self, before, payments, after=None):
        return [violation["text"] for violation in gateways.compare(before, payments, before if after is None else after)]

    def test_what_agrees(self):
        for before, status, after in ((CHARGED, "SUCCEEDED", CHARGED), (REFUNDED, "REFUNDED", REFUNDED), (NOTHING, "FAILED", NOTHING),
                                      (CHARGED, "PROCESSING", CHARGED), (NOTHING, "PROCESSING", CHARGED),
                                      (CHARGED, "REFUNDING", REFUNDED)):
            with self.subTest(status):
                self.assertEqual([], self.said(before, [payment(status)], after))

    def test_what_happens_meanwhile_is_no_fault(self):
        self.assertEqual([], self.said(NOTHING, [payment("SUCCEEDED")], CHARGED))
        self.assertEqual([], self.said(CHARGED, [payment("REFUNDED")], REFUNDED))
        self.assertEqual([], self.said(CHARGED, [payment("SUCCEEDED")], REFUNDED))
        self.assertEqual([], self.said(NOTHING, [], CHARGED))

    def test_money_that_nobody_knows_of(self):
        self.assertEqual(["SOAP has taken 500 USD (minor units) for order ord_1, and there is no payment of it"], self.said(CHARGED, []))
        self.assertEqual(["SOAP has taken 500 USD (minor units) for order ord_1, and payment pay_1 is FAILED"],
                         self.said(CHARGED, [payment("FAILED")]))

    def test_money_that_both_have_taken(self):
        both = {**CHARGED, ("REST", "shop", "ord_1"): Account("USD", 500)}
        self.assertEqual(["REST has taken 500 USD (minor units) for order ord_1, and payment pay_1 is SUCCEEDED"],
                         self.said(both, [payment("SUCCEEDED")]))

    def test_money_that_is_not_there(self):
        (text,) = self.said(NOTHING, [payment("SUCCEEDED")])
        self.assertIn("payment pay_1 of 500 USD (minor units) is SUCCEEDED, but SOAP has taken 0 USD", text)

    def test_another_amount(self):
        (text,) = self.said(CHARGED, [payment("SUCCEEDED", amount=499)])
        self.assertIn("payment pay_1 of 499 USD (minor units) is SUCCEEDED, but SOAP has taken 500 USD", text)

    def test_given_back_and_still_counted(self):
        (text,) = self.said(REFUNDED, [payment("SUCCEEDED")])
        self.assertIn("and given back 500", text)

    def test_not_given_back(self):
        told = " ".join(self.said(CHARGED, [payment("REFUNDED")]))
        self.assertIn("is REFUNDED, but SOAP has taken 500 USD for order ord_1 and given back 0", told)

    def test_more_given_back_than_taken(self):
        (text,) = self.said({KEY: Account("USD", 500, 1000)}, [payment("PROCESSING")])
        self.assertIn("SOAP has given back 1000 USD (minor units) of 500", text)

    def test_of_one_tenant(self):
        self.assertEqual([], gateways.compare(CHARGED, [], CHARGED, tenant="another"))


if __name__ == "__main__":
    unittest.main()
