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


class Route(typing.NamedTuple):
    """A REST route of a method, by google.api.http."""
    verb: str  # POST
    path: str  # /api/v1/orders/{order_id}/pay
    body: bool  # whether the request message comes as the body


class Method(typing.NamedTuple):
    name: str  # CreateOrder
    comment: str
    request: str  # commerce.order.v1.CreateOrderRequest
    response: str
    routes: typing.List[Route]
    access: dict  # the options
    rest: dict


class Service(typing.NamedTuple):
    name: str  # commerce.order.v1.Orders
    comment: str
    methods: typing.List[Method]


class Protos:
    def __init__(self, descriptors):
        self.messages = {}
        self.enums = {}  # {full name: words in their order, without the prefix and the zero}
        self.words = {}  # {full name: {word: comment}}, of the words that have one
        self.services = []
        for file in descriptors["file"]:
            comments = {tuple(location.get("path", ())): _paragraph(location["leadingComments"])
                        for location in file.get("sourceCodeInfo", {}).get("location", ()) if "leadingComments" in location}
            self._add(file, file.get("package", ""), (), comments, "messageType", 4, 5)
            self.services += [_service(service, file["package"], comments, number) for number, service in enumerate(file.get("service", ()))]

    def events(self):
        """By type."""
        found = [Event(option.get("type", ""), option.get("key", ""), option.get("producer", ""), option.get("schemaVersion", ""), message)
                 for message in self.messages.values() for option in [message.event] if option is not None]
        return sorted(found, key=lambda event: event.type)

    def _add(self, holder, scope, path, comments, messages, messages_number, enums_number):
        """The messages and enums in a file or a message; the numbers are descriptor.proto's, which comments are found by."""
        for number, enum in enumerate(holder.get("enumType", ())):
            words = _words(enum)
            self.enums[f"{scope}.{enum['name']}"] = words
            indexes = [index for index, value in enumerate(enum["value"]) if value.get("number", 0) != 0]
            said = {word: comments.get((*path, enums_number, number, 2, index), "") for word, index in zip(words, indexes)}
            self.words[f"{scope}.{enum['name']}"] = {word: comment for word, comment in said.items() if comment}
        for number, message in enumerate(holder.get(messages, ())):
            name, here = f"{scope}.{message['name']}", (*path, messages_number, number)
            options = message.get("options", {})
            self.messages[name] = Message(
                name, comments.get(here, ""),
                [_field(field, comments.get((*here, 2, index), "")) for index, field in enumerate(message.get("field", ()))],
                options.get("[commerce.common.v1.event]"), options.get("mapEntry", False))
            self._add(message, name, here, comments, "nestedType", 3, 4)


def _service(service, package, comments, number):
    methods = [_method(method, comments.get((6, number, 2, index), "")) for index, method in enumerate(service["method"])]
    return Service(f"{package}.{service['name']}", comments.get((6, number), ""), methods)


def _method(method, comment):
    options = method.get("options", {})
    rule = options.get("[google.api.http]")
    rules = [rule, *rule.get("additionalBindings", ())] if rule else []
    return Method(method["name"], comment, method["inputType"].lstrip("."), method["outputType"].lstrip("."), [_route(each) for each in rules],
                  options.get("[commerce.common.v1.access]", {}), options.get("[commerce.common.v1.rest]", {}))


def _route(rule):
    verb = next(verb for verb in ("get", "put", "post", "delete", "patch") if verb in rule)
    if rule.get("body", "*") != "*":
        raise ValueError(f"{rule[verb]}: a body that is one field is not described yet")
    return Route(verb.upper(), rule[verb], "body" in rule)


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
