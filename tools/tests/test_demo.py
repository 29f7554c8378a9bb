import unittest

import context  # noqa: F401
from bvtool import demo


class DemoTest(unittest.TestCase):
    def test_numbers_stay_as_they_were_written(self):
        self.assertEqual(demo.indented('{"totalAmount":129.50,"items":[{"qty":2,"price":25.00}]}'),
                         '{\n  "totalAmount": 129.50,\n  "items": [\n    {\n      "qty": 2,\n      "price": 25.00\n    }\n  ]\n}')

    def test_every_ordered_item_is_of_the_catalogue(self):
        skus = {variant["sku"] for product in demo.CATALOGUE for variant in product["variants"]}
        self.assertLessEqual({sku for sku, _ in demo.ORDERED}, skus)


if __name__ == "__main__":
    unittest.main()
