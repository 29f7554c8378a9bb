"""Words that have no place in the files: open ends without an owner, sleeps in tests, paths of one machine."""

import pathlib
import re
import unittest

from tidy import repository

OPEN_END = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\([a-z][\w.-]*\))")
SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|SleepFor|usleep|nanosleep|pg_sleep)\b|\b(?:time|asyncio)\.sleep\b|\bsleep\(|^\s*sleep \d",
                   re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:work|root)/")
# The one place of each language where tests wait: for a condition, with a deadline.
WAITING_HELPERS = {"tests/support/wait.py", "tools/tests/waiting.py"}
# This file has to name what it looks for.
SELF = "tests/tidy/test_words.py"


class Words(unittest.TestCase):
    def check(self, pattern, paths, why):
        for path in paths:
            if str(path) == SELF:
                continue
            try:
                content = repository.text(path)
            except UnicodeDecodeError:
                continue
            for match in pattern.finditer(content):
                with self.subTest(f"{path}:{repository.line_of(content, match.start())}: {match[0].strip()}"):
                    self.fail(why)

    def test_open_ends_have_an_owner(self):
        self.check(OPEN_END, repository.files(), "write who does it, TODO(name), or do it")

    def test_tests_do_not_sleep(self):
        tests = [path for path in repository.files() if repository.is_test(path) or path.parts[:2] == ("libs", "testing")]
        self.assertGreater(len(tests), 20)
        self.check(SLEEP, [path for path in tests if str(path) not in WAITING_HELPERS], "wait for a condition instead")

    def test_waiting_helpers_are_there(self):
        for path in map(pathlib.PurePosixPath, WAITING_HELPERS):
            with self.subTest(str(path)):
                self.assertIn(path, repository.files())

    def test_no_paths_of_one_machine(self):
        self.check(MACHINE_PATH, repository.files(), "a path that only one machine has")

    def test_patterns_find_what_they_should(self):
        for text in ("// TODO: later", "# FIXME", "TODO (x)"):
            self.assertTrue(OPEN_END.search(text), text)
        self.assertFalse(OPEN_END.search("// TODO(ada): when the registry is there"))
        for text in ("std::this_thread::sleep_for(1s)", "time.sleep(1)", "absl::SleepFor(x)", "  sleep 3\n"):
            self.assertTrue(SLEEP.search(text), text)
        for text in ("cd /" "work/main", '"/' 'root/.cache"'):  # in two parts, so that this file passes its own check
            self.assertTrue(MACHINE_PATH.search(text), text)
        self.assertFalse(MACHINE_PATH.search("services/x/work/y ~/work/"))


if __name__ == "__main__":
    unittest.main()
