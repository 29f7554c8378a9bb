"""A check of schemathesis, of ours: what the document describes can be read, or a rule that JSON Schema has no word for is broken."""

import schemathesis

# Of libs/json: exact numbers, no U+0000. Of the shop: currencies of ISO 4217 with their digits, tokens that an answer gave.
UNSAID = {("INVALID_VALUE", "pageToken"), ("INVALID_VALUE", "currency"), ("INVALID_VALUE", "price"), ("INVALID_VALUE", "compareAtPrice"),
          ("INVALID_VALUE", "amount"), ("INVALID_VALUE", "toDay"), ("RANGE_TOO_LARGE", "toDay"), ("INVALID_VALUE", "userId"),
          ("PRECONDITION_NOT_SUPPORTED", "If-Match"), ("INVALID_VALUE", "sku"), ("INVALID_VALUE", "locationCode"), ("EVENT_TYPE_UNKNOWN", "eventType"),
          ("INVALID_VALUE", "category"), ("INVALID_VALUE", "attributes"), ("INVALID_VALUE", "minPrice"), ("INVALID_VALUE", "maxPrice"), ("INVALID_VALUE", "order"),
          ("INVALID_VALUE", "afterNumber")}
WORDS = ("written without point and exponent", "the character U+0000", "must not contain control characters", "must be a time from 1970 on")


@schemathesis.check
def described_data_is_read(_context, response, case):
    if response.status_code != 400 or not case.meta.generation.mode.is_positive:
        return
    problem = response.json()
    field = problem.get("field", "").rsplit(".", 1)[-1].partition("[")[0]
    assert (problem["code"], field) in UNSAID or any(words in problem["detail"] for words in WORDS), problem["detail"]
