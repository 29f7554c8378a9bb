"""C++ looks as .clang-format says; Python compiles; long files are pointed out."""

import os
import re
import subprocess
import unittest

from tidy import repository

LINES_WANTED = 400


class Format(unittest.TestCase):
    def test_cpp_is_formatted(self):
        paths = "\0".join(map(str, repository.sources(".cc", ".h")))
        done = subprocess.run(["xargs", "-0", f"-P{os.cpu_count()}", "-n16", "clang-format-14", "--dry-run", "-Werror"],
                              input=paths, text=True, capture_output=True, check=False, cwd=repository.ROOT)
        wrong = sorted(set(re.findall(r"^([\w./-]+):\d+:\d+: error", done.stderr, re.MULTILINE)))
        self.assertEqual(done.returncode, 0, f"\nclang-format-14 -i {' '.join(wrong)}\n{done.stderr[:1000]}")

    def test_files_end_with_a_line_end_and_have_no_trailing_blanks(self):
        for path in repository.sources(".cc", ".h", ".py", ".proto", ".sql", ".yaml", ".yml", ".cmake", ".md", ".txt", ".lua", ".js", ".graphql"):
            content = repository.text(path)
            with self.subTest(str(path)):
                self.assertTrue(not content or content.endswith("\n"), "no line end at the end")
                blanks = [number for number, line in enumerate(content.split("\n"), 1) if line != line.rstrip()]
                self.assertEqual([], blanks, "lines with trailing blanks")

    def test_python_compiles(self):
        for path in repository.sources(".py"):
            with self.subTest(str(path)):
                compile(repository.text(path), str(path), "exec")

    def test_long_files_are_pointed_out(self):
        for path in repository.sources(".cc", ".h", ".py"):
            lines = repository.text(path).count("\n")
            if lines > LINES_WANTED:
                print(f"warning: {path} has {lines} lines")


if __name__ == "__main__":
    unittest.main()
