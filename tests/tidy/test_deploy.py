"""What is deployed beside the services names what is in the code: metrics in alarms, producers in Debezium's configuration."""

import json
import re
import subprocess
import unittest

import yaml

from tidy import repository, test_documents

RULES, RULE_TESTS = "deploy/prometheus/bivouac.rules.yaml", "deploy/prometheus/bivouac.tests.yaml"
PROMTOOL = repository.ROOT / ".bv" / "tools" / "bin" / "promtool"
# Has no database, and writes its events to Kafka itself.
WITHOUT_OUTBOX = "mqtt-ingest"
# Of every service, and Prometheus' own; of a histogram, the parts.
COMMON = {"up"}
PART = re.compile(r"_(bucket|count|sum)$")
# A name in an expression that is no function, once labels, times and numbers are gone.
NAME = re.compile(r"\b[a-z][a-z0-9_:]*\b(?!\s*\()")
NO_NAME = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)|\b\d\S*')
KEYWORDS = {"or", "and", "unless", "bool", "offset"}


def names(expression):
    return set(NAME.findall(NO_NAME.sub(" ", expression))) - KEYWORDS


class Alarms(unittest.TestCase):
    def setUp(self):
        rules = [rule for group in yaml.safe_load(repository.text(RULES))["groups"] for rule in group["rules"]]
        self.rules = [rule for rule in rules if "alert" in rule]
        self.records = {rule["record"]: rule for rule in rules if "record" in rule}

    def test_every_metric_is_made_by_the_code(self):
        made = COMMON.union(*(test_documents.metrics_of_code(room) for room in repository.rooms()))
        for rule in [*self.rules, *self.records.values()]:
            with self.subTest(rule.get("alert") or rule["record"]):
                used = {PART.sub("", name) for name in names(rule["expr"])}
                self.assertTrue(used)
                self.assertEqual(set(), used - made - set(self.records), "no code makes them")

    def test_what_is_recorded_is_read_by_somebody(self):
        read = set().union(*(names(rule["expr"]) for rule in self.rules))
        self.assertEqual(set(), set(self.records) - read)

    def test_alarms_come_when_they_should(self):
        for arguments in (["check", "rules", RULES], ["test", "rules", RULE_TESTS]):
            done = subprocess.run([PROMTOOL, *arguments], cwd=repository.ROOT, capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_every_alarm_says_how_bad_it_is_and_what_it_means(self):
        for rule in self.rules:
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
                self.assertEqual({"summary", "description"}, set(rule["annotations"]))

    def test_alarms_and_readmes_name_the_same(self):
        found = set()
        for room in repository.rooms():
            for section in re.findall(r"^## Alarms\n(.*?)(?=^## |\Z)", test_documents.readme(room), re.MULTILINE | re.DOTALL):
                found |= {name for cell in re.findall(r"^\|([^|]*)\|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}
        self.assertEqual({rule["alert"] for rule in self.rules}, found)

    def test_names_of_an_expression_are_found(self):
        self.assertEqual({"a_total", "b_seconds", "c"}, names('sum by (x) (increase(a_total{y="z"}[5m])) > 1e9 or max(b_seconds) < 60 and c'))


class Debezium(unittest.TestCase):
    def test_every_event_of_the_contract_gets_its_producer(self):
        config = json.loads(repository.text("deploy/connect/outbox.json"))["config"]
        sources = {config[f"transforms.{name}.value.literal"]: config[f"predicates.{config[f'transforms.{name}.predicate']}.pattern"]
                   for name in config["transforms"].split(",") if config.get(f"transforms.{name}.header") == "ce_source"}
        topic = re.compile(config["transforms.topic.regex"])
        for event in test_documents.events_of_contract():
            if event.room is None or event.producer == WITHOUT_OUTBOX:
                continue
            with self.subTest(event.type):
                self.assertEqual([event.producer], [producer for producer, pattern in sources.items() if re.fullmatch(pattern, event.type)])
                self.assertEqual(event.topic, topic.fullmatch(event.type)[1])


if __name__ == "__main__":
    unittest.main()
