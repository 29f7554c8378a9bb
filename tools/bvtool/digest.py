"""What failed in a run of ctest and why, short enough to be its end: the log above it may be long or cut off."""

import re
from xml.etree import ElementTree

# Where GoogleTest, unittest, behave and a sanitizer say what went wrong.
_GIST = re.compile(r"Failure$|^\[  FAILED  \] |^(FAIL|ERROR): |^\w*(Error|Exception)\b|Sanitizer: |Timeout|terminate called"
                   r"|\.\.\. (failed|error) in |^ASSERT FAILED: ")
# GoogleTest's reason stands in the lines that follow the place.
_FOLLOWING = 8
_LINES_OF_A_SUITE = 60


def digest(report):
    """The lines that end a run with failures. Of a run without any, none: ctest's summary says it all.

    report: path of the file that `ctest --output-junit` wrote."""
    suites = ElementTree.parse(report).getroot().findall("testcase")
    failed = [suite for suite in suites if suite.get("status") != "run"]
    if not failed:
        return []
    lines = ["", "What failed, and why:"]
    for suite in failed:
        lines.append(f"{suite.get('name')} after {float(suite.get('time')):.0f} s")
        lines += [f"    {line}" for line in _gist(suite.findtext("system-out") or "")]
    return lines + ["", f"{len(suites) - len(failed)} passed, {len(failed)} failed"]


def _gist(output):
    """The telling lines of a suite's output; its last ones when none of them tells."""
    lines = output.splitlines()
    telling = set()
    for at, line in enumerate(lines):
        if _GIST.search(line):
            telling.update(range(at, at + (_FOLLOWING if line.endswith("Failure") else 1)))
    chosen = [lines[at] for at in sorted(telling) if at < len(lines)]
    return (chosen or lines)[-_LINES_OF_A_SUITE:]
