"""The files of the repository: tracked ones, and new ones that are not ignored."""

import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


@functools.lru_cache(maxsize=None)
def files():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            stdout=subprocess.PIPE, check=True, text=True).stdout
    return sorted(path for path in map(pathlib.PurePosixPath, filter(None, listed.split("\0"))) if (ROOT / path).is_file())


def sources(*suffixes, below=""):
    return [path for path in files() if path.suffix in suffixes and str(path).startswith(below)]


@functools.lru_cache(maxsize=None)
def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def rooms():
    """Every folder of libs/ and services/."""
    return sorted({pathlib.PurePosixPath(*path.parts[:2]) for path in files()
                   if path.parts[0] in ("libs", "services") and len(path.parts) > 2})


def services():
    return [room for room in rooms() if room.parts[0] == "services"]


def is_test(path):
    return path.stem.endswith("_test") or "tests" in path.parts[:-1]


def line_of(content, position):
    return content.count("\n", 0, position) + 1
