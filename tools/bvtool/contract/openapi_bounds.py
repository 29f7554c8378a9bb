"""What a field of a request has to look like, read from its comment: "1 to 64 of A-Z a-z 0-9 . _ -", "At most 500 characters", "ISO 4217"."""

import re
import typing

_NUMBER = r"([−-]?\d[\d,]*)(?!\^|\d)"
_CLASS = r"(?:A-Z|a-z|0-9|[._-])"
_CODE = re.compile(rf"{_NUMBER} to {_NUMBER} (?:characters )?of ({_CLASS}(?: {_CLASS})*)")
_RANGE = re.compile(rf"{_NUMBER} to {_NUMBER}")
_UP_TO = re.compile(rf"[Aa]t most {_NUMBER}")
# "UNSUBSCRIBED, BOUNCED or COMPLAINED."
_WORDS = re.compile(r"([A-Z_]+(?:, [A-Z_]+)* or [A-Z_]+)\.$")
# The field may be left out, which for a scalar without presence is the same as zero or "".
_OPTIONAL = re.compile(r"when (?:it is )?(?:not given|a customer gives none)|may leave it out|[Ee]mpty|or none|None:|only products|only sales", re.I)

_INTEGERS = {"TYPE_INT32": 31, "TYPE_SINT32": 31, "TYPE_INT64": 63, "TYPE_SINT64": 63}


class Bounds(typing.NamedTuple):
    rules: dict  # of JSON Schema
    required: bool


def bounds(field):
    """Of the field as a whole; of a repeated one, the number of its elements."""
    optional = bool(_OPTIONAL.search(field.comment))
    if field.repeated:
        return _elements(field.comment, optional)
    optional = optional or field.has_presence
    if field.amount:
        return _amount(field, optional)
    if field.kind == "TYPE_STRING":
        return _text(field.comment, optional)
    if field.kind in _INTEGERS:
        return _integer(field, optional)
    return Bounds({}, False)


def bounds_of_map(comment, value):
    """Rules of an object whose names are data: "At most 50. Names: 1 to 64 of a-z. Values: 1 to 100 characters." `value` is the schema of a value."""
    said = {part: (re.search(rf"(?i){part}: ([^;]*)", comment) or ("", ""))[1] for part in ("Names", "Values")}
    most = _elements(comment, True).rules.get("maxItems")
    names, values = (_text(text, False).rules for text in said.values())
    return {**({"maxProperties": most} if most else {}), **({"propertyNames": names} if names else {}), "additionalProperties": {**value, **values}}


def _int(text):
    return int(text.replace(",", "").replace("−", "-"))


def _elements(comment, optional):
    if found := _RANGE.match(comment):
        least = 0 if optional else _int(found[1])
        return Bounds({**({"minItems": least} if least else {}), "maxItems": _int(found[2])}, least > 0)
    if found := _UP_TO.match(comment):
        return Bounds({"maxItems": _int(found[1])}, False)
    return Bounds({}, False)


def _amount(field, optional):
    if re.match(r"0 to ", field.comment):
        return Bounds({"minimum": 0}, not optional)
    return Bounds({}, False)


def _text(comment, optional):
    if words := _WORDS.match(comment):
        return Bounds({"enum": re.split(", | or ", words[1])}, True)
    if found := _CODE.search(comment):
        least, most = _int(found[1]), _int(found[2])
        code = f"[{found[3].replace(' ', '')}]{{{least},{most}}}"
        return Bounds({"pattern": f"^({code})?$" if optional and least else f"^{code}$"}, least > 0 and not optional)
    if comment.startswith("ISO 4217"):
        return Bounds({"pattern": "^([A-Z]{3})?$" if optional else "^[A-Z]{3}$"}, not optional)
    if comment.startswith("ISO 3166-1 alpha-2"):
        return Bounds({"pattern": "^[A-Z]{2}$"}, True)
    if comment.startswith("E.164"):
        return Bounds({"pattern": r"^(\+[0-9]{7,15})?$"}, False)
    rules = {"pattern": "^(https://.*)?$"} if comment.startswith("https") else {}
    if found := re.search(rf"{_NUMBER} to {_NUMBER} characters", comment):
        least = 0 if optional else _int(found[1])
        return Bounds({**rules, **({"minLength": least} if least else {}), "maxLength": _int(found[2])}, least > 0)
    if found := re.search(rf"[Aa]t most {_NUMBER} characters", comment):
        return Bounds({**rules, "maxLength": _int(found[1])}, False)
    return Bounds(rules, False)


def _integer(field, optional):
    bits = _INTEGERS[field.kind]
    least, most, required = -2**bits, 2**bits - 1, False
    if found := _RANGE.search(field.comment):
        least, most = _int(found[1]), _int(found[2])
        required = not optional and (least > 0 or "not 0" in field.comment)
        if optional and not field.has_presence:
            least = min(least, 0)
    rules = {"minimum": least, "maximum": most}
    if "not 0" in field.comment:
        rules["not"] = {"const": 0}
    return Bounds(rules, required)
