"""What a change of an event's JSON Schema would do to its consumers. Allowed are a new property that need not be there, a new value of an
enumeration, and other words of description; whatever else changes is named by its field."""

import json

# They tell people something and bind nobody.
ANNOTATIONS = {"$schema", "$id", "$comment", "title", "description", "examples", "default", "deprecated"}
# What is compared part by part; every other keyword has to stay as it was.
STRUCTURE = {"properties", "required", "items", "enum"}


def problems(old, new, field=""):
    """["payload.userId: is gone", …] for two schemas as JSON values; empty when the new one only adds. References are not followed."""
    found = list(_in_properties(old, new, field))
    if "items" in old and "items" in new:
        found += problems(old["items"], new["items"], f"{field}[]")
    elif "items" in old or "items" in new:
        found.append(f"{field}: what its items are is said by one of the two only")
    if "enum" in new and "enum" not in old:
        found.append(f"{field}: has to be one of a few values now")
    found += [f"{field}: the value {json.dumps(value)} is gone" for value in old.get("enum", []) if value not in new.get("enum", [value])]
    for keyword in sorted({*old, *new} - ANNOTATIONS - STRUCTURE):
        if old.get(keyword) != new.get(keyword):
            found.append(f"{field or 'the event'}: `{keyword}` was {json.dumps(old.get(keyword))} and is {json.dumps(new.get(keyword))}")
    return found


def _in_properties(old, new, field):
    before, after = old.get("properties", {}), new.get("properties", {})
    required_before, required_after = set(old.get("required", [])), set(new.get("required", []))

    def named(name):
        return f"{field}.{name}".lstrip(".")

    for name in before:
        if name not in after:
            yield f"{named(name)}: is gone"
            continue
        if name in required_after - required_before:
            yield f"{named(name)}: is required now"
        elif name in required_before - required_after:
            yield f"{named(name)}: may be missing now"
        yield from problems(before[name], after[name], named(name))
    for name in sorted(required_after - before.keys()):
        yield f"{named(name)}: is new and required"
