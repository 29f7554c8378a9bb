"""Who may include whom: libs by their layer, services not each other, domain/ nothing but the rules need."""

import pathlib
import re
import unittest

from tidy import repository

LAYERS = (
    ("base", "resilience", "async"),
    ("config", "telemetry", "json", "soap"),
    ("postgres", "redis", "kafka", "rabbitmq", "mqtt", "egress", "smtp", "http", "rpc", "auth", "policy"),
    ("events", "outbox", "projections", "audit"),
    ("service", "testing", "read_models"),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
# What test files include beside what they test.
TEST_ONLY = ("gtest/", "gmock/", "libs/testing/")


def includes(path):
    """(is quoted, name) of every include."""
    return [(quote == '"', name) for quote, name in INCLUDE.findall(repository.text(path))]


class Includes(unittest.TestCase):
    def cpp(self, below):
        found = repository.sources(".cc", ".h", below=below)
        self.assertTrue(found, f"nothing in {below}")
        return found

    def test_every_lib_has_a_layer(self):
        libs = {room.parts[1] for room in repository.rooms() if room.parts[0] == "libs"}
        self.assertEqual(set(), libs - LAYER_OF.keys())

    def test_a_lib_includes_no_higher_layer_and_no_service(self):
        for path in self.cpp("libs/"):
            own = path.parts[1]
            for quoted, name in includes(path):
                if not quoted or (repository.is_test(path) and name.startswith(TEST_ONLY)):
                    continue
                with self.subTest(f"{path}: {name}"):
                    self.assertFalse(name.startswith(("services/", "tests/")))
                    if name.startswith("libs/"):
                        self.assertLessEqual(LAYER_OF[name.split("/")[1]], LAYER_OF[own])

    def test_libs_of_a_layer_include_each_other_one_way(self):
        uses = {}
        for path in self.cpp("libs/"):
            if not repository.is_test(path):
                uses.setdefault(path.parts[1], set()).update(
                    name.split("/")[1] for quoted, name in includes(path) if quoted and name.startswith("libs/"))
        for lib in uses:
            with self.subTest(lib):
                self.assertFalse(any(lib in _reach(uses, other) for other in uses[lib] - {lib}), "a circle of includes")

    def test_a_service_includes_no_other_service(self):
        for path in self.cpp("services/"):
            for quoted, name in includes(path):
                if quoted and name.startswith("services/"):
                    with self.subTest(f"{path}: {name}"):
                        self.assertEqual(path.parts[1], name.split("/")[1])

    def test_domain_is_pure(self):
        for path in self.cpp("services/"):
            if path.parts[2] != "domain":
                continue
            own = f"services/{path.parts[1]}/domain/"
            for quoted, name in includes(path):
                if repository.is_test(path) and name.startswith(TEST_ONLY):
                    continue
                with self.subTest(f"{path}: {name}"):
                    if quoted:
                        self.assertTrue(name.startswith(("libs/base/", own)))
                    else:
                        self.assertTrue(name.startswith("absl/") or re.fullmatch(r"[a-z_0-9]+", name))

    def test_own_headers_are_named_from_the_root(self):
        generated = ("commerce/", "google/", "grpc/")
        for path in self.cpp("libs/") + self.cpp("services/"):
            for quoted, name in includes(path):
                if quoted and not name.startswith(generated):
                    with self.subTest(f"{path}: {name}"):
                        self.assertTrue((repository.ROOT / pathlib.PurePosixPath(name)).is_file())


def _reach(uses, start):
    seen, queue = set(), [start]
    while queue:
        lib = queue.pop()
        if lib not in seen:
            seen.add(lib)
            queue += uses.get(lib, ())
    return seen


if __name__ == "__main__":
    unittest.main()
