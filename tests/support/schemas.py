"""The events' JSON Schemas: those of the working tree beside those that were published."""

import json
import sys

from support.contract import PROTOS, ROOT

sys.path.insert(0, str(ROOT / "tools"))

from bvtool import compatibility  # noqa: E402

ENDING = ".schema.json"
BASELINE = PROTOS / "baseline" / "events"


def of(folder):
    """{event type: JSON Schema}"""
    return {path.name.removesuffix(ENDING): json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"*{ENDING}"))}


def breaking(published=None, now=None):
    """What consumers of the published schemas (all by default) would not understand of those of `now`, as sentences."""
    published, now = published or of(BASELINE), now or of(PROTOS / "events")
    return [f"{event}: {problem}" for event, schema in published.items()
            for problem in (compatibility.problems(schema, now[event]) if event in now else ["the event type is gone"])]


def publish():
    """Makes the schemas of the working tree the published ones."""
    BASELINE.mkdir(exist_ok=True)
    for path in (PROTOS / "events").glob(f"*{ENDING}"):
        (BASELINE / path.name).write_bytes(path.read_bytes())
