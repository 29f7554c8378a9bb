"""Answers of the gateway as files: what differs from run to run is replaced by names, and two of them are compared by field."""

import json
import re

# Those that clients may build on; the rest is of the connection or new each time.
HEADERS = ("Content-Type", "Location", "Allow", "Idempotency-Replayed", "WWW-Authenticate", "Retry-After", "ETag", "Cache-Control", "Vary")
ID = re.compile(r"\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b")
CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<trace>"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]+"), "<secret>"),
)
OPAQUE = {"nextPageToken": "<token>", "ETag": "<tag>"}
NUMBER = re.compile(r'"<number ([^"]*)>"')


class Names:
    """The same id has the same name in all files of a run: ord-1, ord-2, in the order of their appearance."""

    def __init__(self):
        self._names = {}

    def of(self, text):
        text = ID.sub(self._name, text)
        for pattern, name in CHANGING:
            text = pattern.sub(name, text)
        return text

    def _name(self, match):
        kind = match[1]
        known = self._names.setdefault(kind, {})
        return f"<{kind}-{known.setdefault(match[0], len(known) + 1)}>"


def recorded(request, answer, names):
    """What a golden file holds. Numbers stay as they were written: 25.00 is not 25."""
    headers = {name: OPAQUE.get(name) or names.of(answer.headers[name]) for name in HEADERS if answer.headers[name] is not None}
    body = json.loads(answer.text, parse_float=_number, parse_int=_number) if answer.text else None
    return {"request": request, "status": answer.status, "headers": headers, "body": named(body, names)}


def _number(text):
    return f"<number {text}>"


def named(value, names):
    """The same with names for what differs from run to run."""
    if isinstance(value, dict):
        return {name: OPAQUE[name] if name in OPAQUE and part else named(part, names) for name, part in value.items()}
    if isinstance(value, list):
        return [named(part, names) for part in value]
    return names.of(value) if isinstance(value, str) and not value.startswith("<number ") else value


def text_of(record):
    return NUMBER.sub(r"\1", json.dumps(record, indent=1, ensure_ascii=False)) + "\n"


def read(text):
    return json.loads(text, parse_float=_number, parse_int=_number)


def difference(golden, answer, path=""):
    """The first field that is not as in the golden file, in words; "" when all are."""
    if isinstance(golden, dict) and isinstance(answer, dict):
        for name in [*golden, *(name for name in answer if name not in golden)]:
            inner = f"{path}.{name}" if path else name
            if name not in answer:
                return f"{inner} is missing"
            if name not in golden:
                return f"{inner} is new: {answer[name]!r}"
            if found := difference(golden[name], answer[name], inner):
                return found
        return "" if list(golden) == list(answer) else f"{path}: the order is {list(answer)}, was {list(golden)}"
    if isinstance(golden, list) and isinstance(answer, list):
        for number, (one, other) in enumerate(zip(golden, answer)):
            if found := difference(one, other, f"{path}[{number}]"):
                return found
        return "" if len(golden) == len(answer) else f"{path} has {len(answer)} entries, had {len(golden)}"
    return "" if golden == answer else f"{path} is {answer!r}, was {golden!r}"

