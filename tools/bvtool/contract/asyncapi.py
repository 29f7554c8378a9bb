"""The AsyncAPI document: topics, their Kafka settings, their messages with the headers that outbox-relay writes."""

import itertools

from .example import EVENT_ID, MOMENT, TRACE_ID
from .schema import UUID

# What services/outbox-relay/relay/record.cc writes, in its order: name → (description, rules, example). tests/proto compares the names.
HEADERS = {
    "ce_id": ("The envelope's `eventId`; the same in every redelivery.", {"pattern": UUID}, EVENT_ID),
    "ce_type": ("The envelope's `eventType`.", {}, None),
    "ce_source": ("The envelope's `producer`.", {}, None),
    "ce_time": ("The envelope's `occurredAt`.", {"format": "date-time"}, MOMENT),
    "ce_specversion": ("Of CloudEvents.", {"const": "1.0"}, "1.0"),
    "ce_partitionkey": ("The Kafka key and the envelope's `partitionKey`.", {}, None),
    "traceparent": ("W3C trace context of the request that caused the event.", {}, f"00-{TRACE_ID}-00f067aa0ba902b7-01"),
    "aggregateVersion": ("A whole number that grows with the changes of the aggregate; the topic says how.", {"pattern": "^[0-9]+$"}, "3"),
    "tenantId": ("The tenant whose event it is.", {}, "acme"),
    "correlationId": ("The envelope's `correlationId`.", {}, "corr-7"),
    "__value_schema_id": ("The id in the schema registry of a schema that reads the value, in bytes as Confluent's header mode has it: a zero, and four of the "
                          "id, the highest first. Left out while the relay was told none.", {"format": "binary"}, "\0\0\0\0\7"),
}
# Left out where the row has none.
OPTIONAL_HEADERS = {"traceparent", "correlationId", "__value_schema_id"}

# What aggregateVersion counts; tests/e2e/test_events_contract.py proves it on every message of a run.
VERSIONS = {
    "ecommerce.order.order":
        "aggregateVersion is the order's: 1 when it is created, one more with each change. Events of one change share it and are of different types.",
    "ecommerce.product.product": "aggregateVersion is the product's: 1 when it is created, one more with each change.",
    "ecommerce.pricing.price":
        "aggregateVersion is the product's at that change: it never falls, the events of one change share it, and versions without a new price are left out.",
    "ecommerce.pricing.flash_sale":
        "aggregateVersion is the product's at that change: it never falls, the events of one change share it, and versions without news of a sale are left out.",
    "ecommerce.inventory.stock":
        "Each of the `locations` counts its changes from 1, without gaps. aggregateVersion is the sum over all locations of the SKU: it grows with each of its "
        "events, by as many as locations have changed; a product's SKUs count on their own.",
    "ecommerce.inventory.quota": "aggregateVersion is the quota's `version`: 1 when it is set up, one more with each change.",
    "ecommerce.payment.payment":
        "aggregateVersion grows with each event of an order; a payment that has begun takes a number without an event, so there are gaps.",
    "ecommerce.inventory.reservation":
        "aggregateVersion is three times the `itemVersion`, plus 0 for the request, 1 for the answer and 2 for the end. It grows with each event of one "
        "producer; a cart that changes its mind may have asked again before inventory answers, so requests and answers may come in turn. A hold of an order "
        "has itemVersion 0 and only an end.",
    "ecommerce.inventory.device":
        "aggregateVersion is the payload's `receivedAt` in microseconds since 1970: reports of one SKU come from several devices, and none is the newer state of another.",
    "ecommerce.identity.access":
        "aggregateVersion is the number of the change of the tenant: it grows with each event of a tenant, and changes without an event leave gaps.",
    "ecommerce.identity.staff": "aggregateVersion is the account's `version`: it grows with each change, and what came before the user is a gap.",
    "ecommerce.audit.entry":
        "aggregateVersion is `occurredAt` in microseconds since 1970: objects of many kinds have entries, and no number in common.",
    "ecommerce.webhook.delivery":
        "aggregateVersion is the delivery's number in its subscription. They are given up in another order than they were made, so it may fall.",
    "ecommerce.webhook.subscription": "aggregateVersion is the subscription's `version`: it grows with each change, and changes without an event leave gaps.",
}

_DESCRIPTION = (
    "Every change of the shop as an event. The value is JSON: an envelope, and the payload of its type. The headers make each record a CloudEvent in "
    "binary mode. Records of one key come in the order in which their changes were committed, each at least once: `ce_id` tells what comes again. Pass over "
    "types and fields that you do not know; they are added without a new major version.")


def document(protos, topics, examples):
    """`topics` as in topics.yaml, `examples` by type. A type whose topic is not there is not published yet and is left out."""
    settings = {topic["name"]: topic for topic in topics}
    events = [event for event in protos.events() if event.topic in settings]
    if len({event.name for event in events}) < len(events):
        raise ValueError("two events have the same name in different contexts")
    by_topic = {topic: list(group) for topic, group in itertools.groupby(events, key=lambda event: event.topic)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Bivouac events", "version": "1.0.0", "description": _DESCRIPTION, "license": {"name": "Apache 2.0"}},
        "defaultContentType": "application/json",
        "channels": {_id(topic): _channel(settings[topic], group) for topic, group in by_topic.items()},
        "operations": {f"send-{_id(topic)}": {"action": "send", "channel": _reference("channels", _id(topic))} for topic in by_topic},
        "components": {"messages": {event.name: _message(event, examples[event.type]) for event in events}},
    }


def _id(topic):
    """Generators of code make names of it."""
    return topic.replace(".", "-")


def _reference(*parts):
    return {"$ref": "#/" + "/".join(parts)}


def _channel(topic, events):
    return {
        "address": topic["name"],
        "description": " ".join(filter(None, (topic["why"].strip(), VERSIONS.get(topic["name"])))),
        "messages": {event.name: _reference("components", "messages", event.name) for event in events},
        "bindings": {"kafka": {"partitions": topic["partitions"], "topicConfiguration": _configuration(topic["config"]), "bindingVersion": "0.5.0"}},
    }


def _configuration(config):
    """With the types of the Kafka binding; it has no word for the rest, such as the compression, which is no concern of a reader's."""
    made = {"cleanup.policy": config["cleanup.policy"].split(",")}
    for name in ("retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"):
        if name in config:
            made[name] = int(config[name])
    return made


def _message(event, example):
    field = next(field for field in event.message.fields if field.name == event.key)
    headers = {"ce_type": event.type, "ce_source": event.producer, "ce_partitionkey": example["partitionKey"]}
    return {
        "name": event.type,
        "title": event.name,
        "summary": event.message.comment,
        "contentType": "application/json",
        "headers": _headers(headers),
        "payload": {"schemaFormat": "application/schema+json;version=draft-07", "schema": {"$ref": f"events/{event.type}.schema.json"}},
        "bindings": {"kafka": {"key": {"type": "string", "description": f"The payload's `{field.json_name}`."}, "bindingVersion": "0.5.0"}},
        "examples": [{"headers": {name: headers.get(name, value) for name, (_, _, value) in HEADERS.items()}, "payload": example}],
    }


def _headers(values):
    """What `values` names is the same in every record of the type, but for the key."""
    constants = {name: {"const": value} for name, value in values.items() if name != "ce_partitionkey"}
    return {
        "type": "object",
        "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
        "properties": {name: {"description": description, "type": "string", **rules, **constants.get(name, {})}
                       for name, (description, rules, _) in HEADERS.items()},
    }
