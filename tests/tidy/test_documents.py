"""Code and documents name the same metrics and events."""

import dataclasses
import pathlib
import re
import unittest

from tidy import repository

METRIC_CALL = re.compile(r'\b(?:Counter|Gauge|Histogram)\(\s*"([a-zA-Z_:][\w:]*)"')
CODE = re.compile(r"`([^`\n]+)`")
# A metric in a document: by its suffix, or with labels; in a section about metrics, any name of its form.
METRIC_WORD = re.compile(r"^([a-z]+(?:_[a-z0-9]+)+)(\{[a-z_, ]*\})?$")
METRICS_SECTION = re.compile(r"^#+ [^\n]*\bmetrics?\b[^\n]*\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
CRASH_POINT = re.compile(r'\bCrashPoint\(\s*"([^"]+)"')
CRASH_SECTION = re.compile(r"^## Crash points\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
EVENT = re.compile(r"\becommerce(?:\.[a-z_]+)+\.v\d+\b")
EVENT_OPTION = re.compile(r'^message (\w+) \{\n  option \(commerce\.common\.v1\.event\) = \{\n    type: "([^"]+)"\n.*\n    producer: "([^"]+)"', re.MULTILINE)


def code(below):
    """(path, text without its comments) of what is not a test."""
    for path in repository.sources(".cc", ".h", ".js", below=below):
        if not repository.is_test(path):
            yield path, re.sub(r"(?m)^([^\"\n]*)//.*$", r"\1", repository.text(path))


def metrics_of_code(room):
    return sorted({name for _, text in code(f"{room}/") for name in METRIC_CALL.findall(text)})


def metrics_of_document(content):
    found = set()
    for word in CODE.findall(content):
        match = METRIC_WORD.match(word)
        if match and (match[1].endswith("_total") or match[2]):
            found.add(match[1])
    for section in METRICS_SECTION.findall(content):
        # Under such a heading a metric is the first thing of a table row or list item.
        for line in section.splitlines():
            first = re.match(r"^(?:\||-|\*) *`([^`]+)`", line)
            match = first and METRIC_WORD.match(first[1])
            if match:
                found.add(match[1])
    return found


def readme(room):
    return repository.text(room / "README.md") if (repository.ROOT / room / "README.md").is_file() else ""


@dataclasses.dataclass(frozen=True)
class Event:
    """A message of the contract with the option `event`."""

    message: str
    type: str
    producer: str

    @property
    def topic(self):
        return self.type.rsplit(".", 2)[0]

    @property
    def room(self):
        """The folder of the service that writes it, which may not be built yet."""
        room = pathlib.PurePosixPath("services", self.producer.removesuffix("-service"))
        return room if room in repository.services() else None


def events_of_contract():
    return [Event(*found) for path in repository.sources(".proto") for found in EVENT_OPTION.findall(repository.text(path))]


class Metrics(unittest.TestCase):
    def test_every_metric_is_in_its_readme(self):
        count = 0
        for room in repository.rooms():
            content, metrics = readme(room), metrics_of_code(room)
            count += len(metrics)
            with self.subTest(str(room)):
                self.assertEqual([], [name for name in metrics if not re.search(rf"\b{name}\b", content)], "not in its README.md")
        self.assertGreater(count, 10)

    def test_every_metric_of_a_readme_is_in_the_code(self):
        # Any literal will do: what a process tells of itself is not made by the three calls.
        known = {word for below in ("libs/", "services/") for _, text in code(below) for word in re.findall(r'"([\w:]+)"', text)}
        for room in repository.rooms():
            with self.subTest(f"{room}/README.md"):
                self.assertEqual(set(), metrics_of_document(readme(room)) - known, "no code makes them")

    def test_the_required_metrics_are_there(self):
        known = {name for room in repository.rooms() for name in metrics_of_code(room)}
        self.assertLessEqual({"orders_created_total", "order_creation_latency_ms", "inventory_reservation_failures_total", "webhook_retry_attempts_total",
                              "product_cache_hit_ratio"}, known)

    def test_metrics_of_a_document_are_found(self):
        content = "`a_total` `b_seconds{x,y}` `bv_order`\n## Metrics\n| `c_depth` | waits in `bv_order` |\n## Rest\n| `d_e` |\n"
        self.assertEqual({"a_total", "b_seconds", "c_depth"}, metrics_of_document(content))


class CrashPoints(unittest.TestCase):
    def test_code_and_readmes_name_the_same(self):
        for room in repository.services():
            names = {name for _, text in code(f"{room}/") for name in CRASH_POINT.findall(text)}
            sections = "".join(CRASH_SECTION.findall(readme(room)))
            with self.subTest(f"{room}/README.md"):
                self.assertEqual(names, {word for word in CODE.findall(sections) if re.fullmatch(r"[a-z-]+(\.[a-z_]+){2,}", word)})


class Events(unittest.TestCase):
    def setUp(self):
        self.contract = events_of_contract()
        self.types = {event.type for event in self.contract}

    def test_every_event_of_the_contract_is_written_and_in_the_readme(self):
        self.assertGreater(len(self.contract), 10)
        for event in self.contract:
            if event.room is None:
                continue
            with self.subTest(event.type):
                self.assertTrue(any(re.search(rf"\b{event.message}\b", text) for _, text in code(f"{event.room}/events/")), "nobody writes it")
                self.assertIn(event.type, readme(event.room), "the README does not name it")

    def test_what_code_and_readmes_name_is_in_the_contract(self):
        named = [*code("services/"), *((f"{room}/README.md", readme(room)) for room in repository.rooms())]
        for path, text in named:
            with self.subTest(str(path)):
                self.assertLessEqual(set(EVENT.findall(text)), self.types)

    def test_every_topic_is_made(self):
        made = set(re.findall(r"^  - name: (\S+)", repository.text("deploy/kafka/topics.yaml"), re.MULTILINE))
        self.assertEqual(set(), {event.topic for event in self.contract if event.room} - made, "deploy/kafka/topics.yaml lacks them")


if __name__ == "__main__":
    unittest.main()
