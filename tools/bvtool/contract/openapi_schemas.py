"""Messages as the schemas of the OpenAPI document: as libs/json writes answers, and as it and the services take requests.

An answer is open, since fields are added within a version; a request is closed, since unknown fields are refused."""

import collections
import re

from .descriptors import TIMESTAMP
from .example import PREFIXES
from .openapi_bounds import bounds, bounds_of_map
from .schema import TIME, scalar

# Demanded by the services, though the comment of the field gives no bound that says so.
_REQUIRED = {
    "CreateOrderRequest": {"payment_method", "shipping_address", "email"}, "CreateFlashSaleRequest": {"product_id", "ends_at"},
    "NewFlashSaleOffer": {"sku"}, "VariantChange": {"sku"}, "ShipmentItem": {"sku"}, "MergeCartRequest": {"session_id"},
    "SetSenderRequest": {"email"}, "UnsubscribeRequest": {"token"}, "CheckAddressRequest": {"email"}, "SuppressAddressRequest": {"email", "reason"},
    "AllowAddressRequest": {"email"}, "GetDailyRevenueRequest": {"from_day"}, "CreateSubscriptionRequest": {"url"},
}
# By the name of the field, where its own comment does not say it again.
_SKU = {"pattern": "^[A-Za-z0-9._-]{1,64}$"}
_NAMED = {"email": {"format": "email", "maxLength": 254}, "from_day": {"format": "date"}, "to_day": {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"}}
_TYPE_ID = "[0-7][0-9a-hjkmnp-tv-z]{25}"
# Those of a reservation are chosen by its caller.
_CODES = {"session_id": "[A-Za-z0-9_-]{16,128}",
          **{name: f"{prefix}_{_TYPE_ID}" for name, prefix in PREFIXES.items() if name != "reservation_id"}}
# Read only together with a cart.
_UNCHECKED = {("CreateOrderRequest", "session_id")}
# Requests that have to name something, whatever it is.
_NOT_EMPTY = {"RedeliverRangeRequest"}


class Schemas:
    """Those that were asked for, and all that they refer to."""

    def __init__(self, protos):
        self._protos = protos
        self._made = {}
        shorts = collections.Counter(map(_short, (*protos.messages, *protos.enums)))
        self._ambiguous = {short for short, count in shorts.items() if count > 1}

    def all(self):
        return dict(sorted(self._made.items()))

    def add(self, name, schema):
        """One that no message is."""
        self._made[name] = schema

    def answer(self, message_name):
        name = self._name(message_name)
        if name not in self._made:
            self._made[name] = {}  # a message that refers to itself finds its name
            message = self._protos.messages[message_name]
            properties = {field.json_name: self._described(field, self._field(field, self.answer)) for field in message.fields}
            self._made[name] = _object(message, properties, [field.json_name for field in message.fields if field.always_written])
        return _reference(name)

    def request(self, message_name, without=()):
        """`without` are fields that come another way: the path's."""
        message = self._protos.messages[message_name]
        # A message that answers hold, too, has two schemas.
        name = self._name(message_name)
        name += "" if name.endswith(("Request", "Change")) or name.startswith("New") else "Input"
        if name not in self._made:
            self._made[name] = {}
            fields = [field for field in message.fields if field.name not in without]
            schema = _object(message, {field.json_name: self._member(message_name, field) for field in fields},
                             [field.json_name for field in fields if self.is_required(message_name, field)])
            self._made[name] = {**schema, **({"minProperties": 1} if name in _NOT_EMPTY else {}), "additionalProperties": False}
        return _reference(name)

    def _member(self, message_name, field):
        if (_short(message_name), field.name) in _UNCHECKED:
            return self._described(field, self._field(field, self.request))
        return self.parameter(field, not self.is_required(message_name, field))

    def parameter(self, field, may_be_empty=True):
        """A field of a request, by itself."""
        value = self._field(field, self.request)
        rules = bounds_of_map(field.comment, value["additionalProperties"]) if self._is_map(field) else _rules(field, may_be_empty)
        return self._described(field, {**value, **rules})

    @staticmethod
    def may_be_absent(message_name):
        """Whether no body, which is an empty message, may do."""
        return _short(message_name) not in _NOT_EMPTY

    def is_required(self, message_name, field):
        return bounds(field).required or field.name in _REQUIRED.get(_short(message_name), ())

    def _field(self, field, of_message):
        if self._is_map(field):
            _, value = self._protos.messages[field.type_name].fields
            return {"type": "object", "additionalProperties": self._value(value, of_message)}
        if field.repeated:
            return {"type": "array", "items": self._value(field, of_message)}
        return self._value(field, of_message)

    def _is_map(self, field):
        return field.repeated and field.kind == "TYPE_MESSAGE" and self._protos.messages[field.type_name].is_map_entry

    def _value(self, field, of_message):
        if field.amount:
            return {"type": "number"}
        if field.kind == "TYPE_ENUM":
            return self._enum(field.type_name)
        if field.type_name == TIMESTAMP:
            # A reader takes any offset; answers are in UTC.
            return {"type": "string", "format": "date-time", **({"pattern": TIME} if of_message == self.answer else {})}
        if field.kind == "TYPE_MESSAGE":
            return of_message(field.type_name)
        return {**scalar(field.kind), **({"format": field.kind[-5:].lower()} if field.kind in ("TYPE_INT32", "TYPE_INT64") else {})}

    def _enum(self, enum_name):
        name = self._name(enum_name)
        comments = [f"- `{word}`: {text(comment)}" for word, comment in self._protos.words[enum_name].items()]
        described = {"description": "\n".join(comments)} if comments else {}
        self._made[name] = {"type": "string", "enum": self._protos.enums[enum_name], **described}
        return _reference(name)

    def _name(self, full):
        short = _short(full)
        return full.split(".")[1].capitalize() + short if short in self._ambiguous else short

    @staticmethod
    def _described(field, schema):
        unit = "A decimal number in the unit of `currency`." if field.amount else ""
        comment = " ".join(filter(None, (text(field.comment), unit)))
        return {**({"description": comment} if comment else {}), **schema}


def _rules(field, may_be_empty):
    """By the name of the field, else by its comment."""
    code = _CODES.get(field.name)
    if code:
        return {"pattern": f"^({code})?$" if may_be_empty else f"^{code}$"}
    said = bounds(field).rules
    if field.name == "sku" and "pattern" not in said and not re.search("only|of one", field.comment, re.I):
        return _SKU
    return _NAMED.get(field.name, said)


def text(comment):
    """Names of fields as JSON has them."""
    return re.sub(r"`([a-z]+(?:_[a-z]+)+)`", lambda found: f"`{camel(found[1])}`", comment)


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _short(full):
    """commerce.cart.v1.CartHold.Status → CartHoldStatus."""
    return full.split(".v1.")[-1].replace(".", "")


def _object(message, properties, required):
    described = {"description": text(message.comment)} if message.comment else {}
    return {"type": "object", **described, **({"required": required} if required else {}), "properties": properties}


def _reference(name):
    return {"$ref": f"#/components/schemas/{name}"}
