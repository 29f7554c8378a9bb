"""The house: what stands at the top, and what every room has."""

import re
import unittest

from tidy import repository

TOP = {"CMakeLists.txt", "CMakePresets.json", "WORKSPACE.md", "README.md", "LICENSE",
       "protos", "services", "libs", "deploy", "helm", "tests", "tools"}
MAIN_LINES_MAX = 40
JAVASCRIPT = {"graphql"}
SETTING = re.compile(r"^(?P<indent> *)(?P<key>[a-z_0-9]+):(?P<value>[^#]*)(?P<comment>#.*\S)?\s*$")


def settings(content):
    """(key, has a comment behind it or right above it) of every setting of a settings file, keys dotted."""
    found, parents, commented = [], [], False
    lines = content.split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith("#"):
            commented = True
            continue
        match = SETTING.match(line)
        if match:
            depth = len(match["indent"]) // 2
            parents[depth:] = [match["key"]]
            if match["value"].strip():
                found.append((".".join(parents), commented or bool(match["comment"])))
        commented = False
    return found


class Rooms(unittest.TestCase):
    def test_top_level_holds_what_the_house_allows(self):
        top = {path.parts[0] for path in repository.files()}
        self.assertEqual(set(), {name for name in top if not name.startswith(".")} - TOP)

    def test_every_room_has_a_readme(self):
        self.assertEqual([], [str(room) for room in repository.rooms() if not (repository.ROOT / room / "README.md").is_file()])

    def test_every_service_has_its_parts(self):
        for room in repository.services():
            main = "main.js" if room.name in JAVASCRIPT else "main.cc"
            for part in (main, f"{room.name}.yaml", "CMakeLists.txt"):
                with self.subTest(f"{room}/{part}"):
                    self.assertTrue((repository.ROOT / room / part).is_file(), "is missing")

    def test_the_map_names_every_room(self):
        content = repository.text("WORKSPACE.md")
        self.assertEqual([], [str(room) for room in repository.rooms() if not re.search(rf"\b{room.name}\b", content)])

    def test_a_main_is_one_screen(self):
        for path in repository.sources(".cc", ".js", below="services/"):
            if path.stem == "main":
                with self.subTest(str(path)):
                    self.assertLessEqual(repository.text(path).count("\n"), MAIN_LINES_MAX)

    def test_every_setting_is_explained(self):
        for room in repository.services():
            found = settings(repository.text(room / f"{room.name}.yaml"))
            self.assertTrue(found, f"{room} has no settings")
            with self.subTest(f"{room.name}.yaml"):
                self.assertEqual([], [key for key, commented in found if not commented], "no comment behind them or above them")

    def test_migrations_are_numbered_without_gaps(self):
        for room in repository.services():
            numbers = [int(path.name[:4]) for path in repository.sources(".sql", below=f"{room}/migrations/")]
            with self.subTest(str(room)):
                self.assertEqual(list(range(1, len(numbers) + 1)), numbers)

    def test_settings_are_found(self):
        self.assertEqual([("a.b", True), ("a.c", True), ("a.d", False), ("e.f", False)],
                         settings("# all\na:\n  b: 1  # why\n  # why\n  c: \"\"\n  d: 2\n# group\ne:\n  f: 3\n"))


if __name__ == "__main__":
    unittest.main()
