"""Builds the fuzz targets and runs each for BIVOUAC_FUZZ_SECONDS (30), as many at a time as there are processors. What is found
stands in .bv/fuzz/<target>/, with all that the runs have learned."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BINARIES = ROOT / ".bv" / "build" / "fuzz" / "bin"
SCRATCH = ROOT / ".bv" / "fuzz"
TARGETS = sorted(path.stem.removesuffix("_fuzz") for path in HERE.glob("*_fuzz.cc"))
SECONDS = int(os.environ.get("BIVOUAC_FUZZ_SECONDS", "30"))
# Of an input. What is longer is refused before it is looked at, or is more of the same.
BYTES_MAX = 4096
OUTPUT_SHOWN = 6000


def build():
    for command in (["cmake", "--preset", "fuzz"],
                    ["cmake", "--build", "--preset", "fuzz", "-j", str(len(os.sched_getaffinity(0)))]):
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout[-OUTPUT_SHOWN:]}")


def seeds(target):
    own = sorted((HERE / "corpus" / target).glob("*"))
    return own + sorted((ROOT / "protos" / "events").glob("*.example.json")) if target == "envelope" else own


def fuzz(target):
    """What the target printed, and how it ended."""
    corpus = SCRATCH / target / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        shutil.copyfile(seed, corpus / seed.name)
    suppressions = ROOT / "tools" / "cmake" / "lsan.supp"
    return subprocess.run(
        [BINARIES / f"{target}_fuzz", f"-max_total_time={SECONDS}", f"-max_len={BYTES_MAX}", "-timeout=10", "-rss_limit_mb=1024",
         "-print_final_stats=1", f"-artifact_prefix={SCRATCH / target}/", corpus],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        env={**os.environ, "LSAN_OPTIONS": f"suppressions={suppressions}:print_suppressions=0", "UBSAN_OPTIONS": "print_stacktrace=1"})


class Fuzz(unittest.TestCase):
    def test_every_target_has_seeds(self):
        self.assertEqual([], [target for target in TARGETS if not seeds(target)])
        self.assertEqual(set(), {path.name for path in (HERE / "corpus").iterdir()} - set(TARGETS), "seeds of no target")

    def test_nothing_is_found(self):
        build()
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for target, done in zip(TARGETS, pool.map(fuzz, TARGETS)):
                with self.subTest(target):
                    self.assertEqual(done.returncode, 0, f"{target}: {self.finding(done.stderr)}")
                    inputs = int(re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)[1])
                    covered = re.findall(r"cov: (\d+)", done.stderr)
                    print(f"{target}: {inputs} inputs in {SECONDS} s, {covered[-1] if covered else 0} edges", flush=True)
                    self.assertGreater(inputs, 2 * len(seeds(target)), "it tried no more than its seeds")

    @staticmethod
    def finding(output):
        """From the complaint on, without the progress before it."""
        start = re.search(r"does not hold|runtime error|ERROR: ", output)
        return output[start.start() if start else 0:][:OUTPUT_SHOWN]


if __name__ == "__main__":
    unittest.main()
