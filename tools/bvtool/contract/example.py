"""An example of each event, byte for byte what the fleet would write (tests/proto/examples_test.cc proves it), and of requests and answers of REST. Of
events all fields are filled."""

import json
import re

from .descriptors import TIMESTAMP
from .schema import ENVELOPE

MOMENT = "2023-11-23T00:01:02.003004Z"
LATER = "2023-11-23T00:16:02.003004Z"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
EVENT_ID = "018bf9e5-5400-7fd4-b89a-60db4739b1a6"
_TYPE_ID = "01hf7yat00fytbh9k0vn3k5d6c"
# Of ids that are a TypeID.
PREFIXES = {"order_id": "ord", "product_id": "prd", "variant_id": "var", "cart_id": "crt", "payment_id": "pay", "shipment_id": "shp",
            "reservation_id": "hld", "sale_id": "fsl", "subscription_id": "whs", "delivery_id": "whd", "staff_id": "stf"}

# By the name of the field; what is not here gets a value by its comment or its kind.
_TEXTS = {
    **{name: f"{prefix}_{_TYPE_ID}" for name, prefix in PREFIXES.items()},
    "user_id": "ada", "event_id": EVENT_ID, "event_type": "ecommerce.order.order.created.v1", "sku": "STOVE-EMBER", "location_code": "MAIN",
    "currency": "USD", "title": "Ember stove", "description": "A stove for two, 380 g.", "name": "Winter sale", "carrier": "Post",
    "tracking_number": "RR123456785DE", "reference": "TX-1001", "email": "ada@example.com", "default_country": "DE",
}
_NUMBERS = {"qty": 2, "delta": -2, "on_hand": 10, "reserved": 2, "available": 8, "version": 3, "item_version": 3, "hold_seconds": 900,
            "attempts": 6, "last_status": 503, "quantity_limit": 100}
# What the REST API has and events have not, or otherwise.
_IN = {
    "Address": {"name": "Ada Example", "line1": "1 Harbour Street", "line2": "", "city": "Portland", "region": "OR", "postal_code": "97201", "country_code": "US",
                "phone": "+15035550100"},
    "AdjustRequest": {"delta": 10, "reason": "RECEIVED"}, "CancelOrderRequest": {"reason": "CUSTOMER_REQUEST"}, "Order": {"cancel_reason": ""},
    "Sender": {"name": "Ember Outdoor", "reply_to": "help@shop.example", "unsubscribe_url": "https://shop.example/unsubscribe?token={token}"},
    "SetSenderRequest": {"name": "Ember Outdoor", "unsubscribe_url": "https://shop.example/unsubscribe?token={token}"},
    "CreateSubscriptionRequest": {"url": "https://shop.example/events", "event_types": "ecommerce.order.*"},
    "Subscription": {"url": "https://shop.example/events", "event_types": "ecommerce.order.*", "disabled_reason": ""},
    "CreateFlashSaleRequest": {"ends_at": "2030-01-01T00:00:00Z"}, "MergeCartRequest": {"session_id": "k3J9_visitor-7xQ2"},
    "CartItem": {"unavailable": False}, "FlashSale": {"sold_out": False}, "StockStatus": {"is_hot": False},
    "PaymentAttempt": {"gateway": "SOAP"}, "Payment": {"gateway": "SOAP", "failure_reason": ""}, "GetDailyRevenueResponse": {"time_zone": "Europe/Berlin"},
    "DailyRevenue": {"day": "2026-11-21"},
}
# Minor units of USD.
_AMOUNTS = {"price": 2500, "regular_price": 2999, "compare_at_price": 2999, "total_amount": 5000, "amount": 5000, "refunded_amount": 5000}
_EARLIER = {"first_attempt_at", "starts_at", "valid_from"}


# Of requests: fields that may be left out and are shown.
_ALSO_IN = {
    "CreateProductRequest": ("description",), "NewVariant": ("price", "compare_at_price", "fulfillment_type"), "UpdateProductRequest": ("title", "expected_version"),
    "CreateOrderRequest": ("items", "currency"), "NewOrderItem": ("sku",), "SetPriceOverrideRequest": ("price",),
    "RedeliverRangeRequest": ("status",), "NewFlashSaleOffer": ("price",), "CreateFlashSaleRequest": ("quantity_limit",), "SetItemRequest": ("qty",), "CancelOrderRequest": ("reason",),
    "ConfirmPaymentRequest": ("amount",), "FulfillOrderRequest": ("shipments",), "NewShipment": ("carrier", "tracking_number"),
    "StockPolicyRequest": ("buffer",), "UpdateSubscriptionRequest": ("description",), "Address": ("region", "postal_code"),
}


class Number(str):
    """A number as it is written: JSON tells 25.00 from 25.0, Python does not."""


def envelope_example(protos, event):
    payload = _object(protos, event.message)
    key = next(field.json_name for field in event.message.fields if field.name == event.key)
    values = {
        "event_id": EVENT_ID, "event_type": event.type, "occurred_at": MOMENT, "producer": event.producer, "trace_id": TRACE_ID,
        "correlation_id": "corr-7", "schema_version": event.schema_version, "partition_key": payload[key],
    }
    return {**{field.json_name: values[field.name] for field in protos.messages[ENVELOPE].fields}, "payload": payload}


def response_example(protos, message):
    """Of an answer; its texts are those of the events' examples."""
    return _object(protos, message)


def request_example(protos, message, is_required):
    """`is_required(message, field)`; with some fields more where a request without them would do nothing."""
    short = message.name.rsplit(".", 1)[1]
    more = _ALSO_IN.get(short, ())
    return {field.json_name: _member(protos, message, field, lambda protos, field: _in_request(protos, field, is_required))
            for field in message.fields if is_required(message, field) or field.name in more}


def _in_request(protos, field, is_required):
    if field.kind == "TYPE_MESSAGE" and field.type_name != TIMESTAMP:
        value = request_example(protos, protos.messages[field.type_name], is_required)
        return [value] if field.repeated else value
    return _field(protos, field)


def text(value, indent=None):
    """JSON as libs/json writes it; with an indent (of the first level, 0) a line for each value."""
    if isinstance(value, Number):
        return str(value)
    if not value or not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    inner = None if indent is None else indent + 2
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        parts = [f"{json.dumps(name, ensure_ascii=False)}{colon}{text(member, inner)}" for name, member in value.items()]
    else:
        parts = [text(element, inner) for element in value]
    before, after = ("", "") if indent is None else ("\n" + " " * inner, "\n" + " " * indent)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + before + f",{before}".join(parts) + after + closing


def _object(protos, message):
    return {field.json_name: _member(protos, message, field, _field) for field in message.fields}


def _member(protos, message, field, otherwise):
    own = _IN.get(message.name.rsplit(".", 1)[1], {})
    if field.name not in own:
        return otherwise(protos, field)
    return [own[field.name]] if field.repeated else own[field.name]


def _field(protos, field):
    if field.repeated and field.kind == "TYPE_MESSAGE" and protos.messages[field.type_name].is_map_entry:
        key, value = protos.messages[field.type_name].fields
        return {_text(key): _value(protos, value)}
    value = _value(protos, field)
    return [value] if field.repeated else value


def _value(protos, field):
    if field.amount:
        units, cents = divmod(_AMOUNTS.get(field.name, 1000), 100)
        return Number(f"{units}.{cents:02}")
    if field.kind == "TYPE_ENUM":
        return protos.enums[field.type_name][0]
    if field.type_name == TIMESTAMP:
        return MOMENT if field.name in _EARLIER else LATER
    if field.kind == "TYPE_MESSAGE":
        return _object(protos, protos.messages[field.type_name])
    if field.kind == "TYPE_STRING":
        return _text(field)
    if field.kind == "TYPE_BYTES":
        return "Yml2b3VhYw=="
    if field.kind == "TYPE_BOOL":
        return True
    if field.kind in ("TYPE_DOUBLE", "TYPE_FLOAT"):
        return Number("0.5")
    return _NUMBERS.get(field.name, 1)


def _text(field):
    if field.name in _TEXTS:
        return _TEXTS[field.name]
    # "PENDING, PAID or CANCELED.": the words that the field may hold.
    words = re.match(r"[A-Z][A-Z_]{2,}(?=,| or )", field.comment)
    return words[0] if words else f"{field.name.replace('_', '-')}-1"
