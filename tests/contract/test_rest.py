"""REST answers are those of the golden files, field by field: `rest/<call>.json`. A wanted change renews them, and is seen in review:

    (set -a; . <(tools/bv env --stack test); cd tests; ../.bv/tools/venv/bin/python -B -m contract.test_rest --renew)
"""

import pathlib
import sys
import unittest

from contract import golden
from contract.calls import Day
from support import stack

FOLDER = pathlib.Path(__file__).resolve().parent / "rest"


def day():
    """{name: what the file of the call should hold} of a new shop."""
    stack.await_ready()
    made = Day()
    try:
        calls = made.all()
    finally:
        made.close()
    names = golden.Names()
    records = {}
    for call in calls:
        request = {"who": call.who, "line": names.of(f"{call.method} {call.path}"), "body": golden.named(call.body, names)}
        records[call.name] = golden.read(golden.text_of(golden.recorded(request, call.answer, names)))
    return records


def renew():
    for file in FOLDER.glob("*.json"):
        file.unlink()
    for name, record in day().items():
        (FOLDER / f"{name}.json").write_text(golden.text_of(record), encoding="utf-8")


class Rest(unittest.TestCase):
    maxDiff = None

    def test_answers_are_the_golden_ones(self):
        kept = {file.stem: golden.read(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.json")}
        answers = day()
        self.assertEqual(set(kept), set(answers))
        for name, answer in answers.items():
            with self.subTest(name):
                self.assertEqual("", golden.difference(kept[name], answer))

    def test_a_difference_is_named(self):
        before = golden.read('{"status": 200, "body": {"items": [{"price": 25.00}, {"price": 1}]}}')
        for text, words in (('{"status": 201, "body": {"items": [{"price": 25.00}, {"price": 1}]}}', "status is"),
                            ('{"status": 200, "body": {"items": [{"price": 25.0}, {"price": 1}]}}', "body.items[0].price is"),
                            ('{"status": 200, "body": {"items": [{"price": 25.00}, {"prize": 1}]}}', "body.items[1].price is missing"),
                            ('{"status": 200, "body": {"items": [{"price": 25.00, "sku": "A"}, {"price": 1}]}}', "body.items[0].sku is new"),
                            ('{"status": 200, "body": {"items": [{"price": 25.00}]}}', "body.items has 1 entries, had 2"),
                            ('{"body": {"items": [{"price": 25.00}, {"price": 1}]}, "status": 200}', "the order is")):
            self.assertIn(words, golden.difference(before, golden.read(text)))
        self.assertEqual("", golden.difference(before, before))

    def test_names_are_kept_over_all_files(self):
        names = golden.Names()
        first = "ord_01hf7yat00fytbh9k0vn3k5d6c"
        self.assertEqual("/orders/<ord-1> at <time>", names.of(f"/orders/{first} at 2023-11-23T00:01:02.003004Z"))
        self.assertEqual("<ord-2> <ord-1> <prd-1>", names.of(f"ord_11hf7yat00fytbh9k0vn3k5d6c {first} prd_01hf7yat00fytbh9k0vn3k5d6c"))


if __name__ == "__main__":
    if "--renew" in sys.argv:
        renew()
    else:
        unittest.main()
