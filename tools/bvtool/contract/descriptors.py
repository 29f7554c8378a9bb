"""The protos as messages, fields and comments, from a FileDescriptorSet in protobuf's JSON."""

import typing

TIMESTAMP = "google.protobuf.Timestamp"


class Field(typing.NamedTuple):
    name: str  # total_amount
    json_name: str  # totalAmount
    kind: str  # TYPE_INT64
    type_name: str  # of a message or an enum: commerce.common.v1.FulfillmentType
    repeated: bool
    has_presence: bool
    amount: bool
    comment: str

    @property
    def always_written(self):
        """Whether libs/json writes it whatever its value is: not what may be absent, nor an enum, whose zero has no word."""
        return self.repeated or not (self.has_presence or self.kind == "TYPE_ENUM")


class Message(typing.NamedTuple):
    name: str  # commerce.order.v1.OrderCreated
    comment: str
    fields: typing.List[Field]
    event: typing.Optional[dict]  # the option
    is_map_entry: bool


class Event(typing.NamedTuple):
    """A message with the option `event`."""
    type: str  # ecommerce.order.order.created.v1
    key: str  # the field's name: order_id
    producer: str
    schema_version: str
    message: Message

    @property
    def topic(self):
        return self.type.rsplit(".", 2)[0]

    @property
    def name(self):
        return self.message.name.rsplit(".", 1)[1]


class Protos:
    def __init__(self, descriptors):
        self.messages = {}
        self.enums = {}  # {full name: words in their order, without the prefix and the zero}
        for file in descriptors["file"]:
            comments = {tuple(location.get("path", ())): _paragraph(location["leadingComments"])
                        for location in file.get("sourceCodeInfo", {}).get("location", ()) if "leadingComments" in location}
            self._add(file, file.get("package", ""), (), comments, "messageType", 4)

    def events(self):
        """By type."""
        found = [Event(option.get("type", ""), option.get("key", ""), option.get("producer", ""), option.get("schemaVersion", ""), message)
                 for message in self.messages.values() for option in [message.event] if option is not None]
        return sorted(found, key=lambda event: event.type)

    def _add(self, holder, scope, path, comments, messages, messages_number):
        """The messages and enums in a file or a message; the number is descriptor.proto's, which comments are found by."""
        for enum in holder.get("enumType", ()):
            self.enums[f"{scope}.{enum['name']}"] = _words(enum)
        for number, message in enumerate(holder.get(messages, ())):
            name, here = f"{scope}.{message['name']}", (*path, messages_number, number)
            options = message.get("options", {})
            self.messages[name] = Message(
                name, comments.get(here, ""),
                [_field(field, comments.get((*here, 2, index), "")) for index, field in enumerate(message.get("field", ()))],
                options.get("[commerce.common.v1.event]"), options.get("mapEntry", False))
            self._add(message, name, here, comments, "nestedType", 3)


def _field(field, comment):
    kind = field["type"]
    return Field(
        field["name"], field["jsonName"], kind, field.get("typeName", "").lstrip("."), field["label"] == "LABEL_REPEATED",
        "oneofIndex" in field or kind == "TYPE_MESSAGE", field.get("options", {}).get("[commerce.common.v1.amount]", False), comment)


def _words(enum):
    """Without the prefix that all values share, and without zero: as libs/json writes them."""
    snake = "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(enum["name"])).upper() + "_"
    names = [value["name"] for value in enum["value"]]
    prefix = snake if all(name.startswith(snake) for name in names) else ""
    return [value["name"][len(prefix):] for value in enum["value"] if value.get("number", 0) != 0]


def _paragraph(comment):
    return " ".join(comment.split())
