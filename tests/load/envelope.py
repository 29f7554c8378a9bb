#!/usr/bin/env python3
"""What an event costs its writer before PostgreSQL sees it, on one thread: text, check against its schema, the whole row.

Parameters: BENCH_EVENTS (of a round, default 100,000)."""

import json
import pathlib
import subprocess

import _bench
from support import stack

AIM_ENCODE, AIM_VALIDATE = 2.0, 10.0  # µs


def main():
    done = subprocess.run([pathlib.Path(stack.env("BV_BIN_DIR")) / "envelope_bench", f"--events={int(_bench.number('BENCH_EVENTS', 100_000))}"],
                          stdout=subprocess.PIPE, text=True, check=True)
    events = json.loads(done.stdout)
    print("\nOne event, µs\n")
    _bench.table(["event type", "bytes", "encode", "validate", "whole row"],
                 [[event["type"], event["bytes"], *(f"{event[part] / 1000:.2f}" for part in ("encode_ns", "validate_ns", "make_row_ns"))]
                  for event in events])
    met = all(event["encode_ns"] / 1000 <= AIM_ENCODE and event["validate_ns"] / 1000 <= AIM_VALIDATE for event in events)
    print(f"encode ≤ {AIM_ENCODE:.0f}, validate ≤ {AIM_VALIDATE:.0f}: {'yes' if met else 'NO'}\n")


if __name__ == "__main__":
    main()
