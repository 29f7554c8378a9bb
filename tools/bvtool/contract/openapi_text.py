"""What the OpenAPI document says that no proto does: conventions of the gateway, its headers, its own routes."""

from .example import TRACE_ID

DESCRIPTION = """\
The public API of the shop's back end. Made from the protos; what it says is what the gateway does.

## Tokens and tenants
A call carries `Authorization: Bearer <JWT>`. The token says the tenant, the user and the role: CUSTOMER, STAFF, ADMIN, SERVICE or OPERATOR; each call \
below says whose it is. A public read needs no token and then names its tenant in `X-Tenant-Id`.

## JSON
- Names are in lowerCamelCase. Unknown fields, `null` and fields given twice are refused in requests. Answers gain fields and words of enumerations \
within a version: pass over what you do not know.
- An amount of money is a decimal number in the unit of `currency`: 129.50. It is read and written exactly.
- Whole numbers are written without fraction and exponent. Times are RFC 3339; answers are in UTC.
- In answers, `required` fields are always there, even when they are empty, zero or false; the others are left out when there is nothing to say.

## Errors
`application/problem+json` (RFC 9457) with a stable `code`. What cannot be read is 400, what is readable and not allowed is 422, what does not fit the \
state of things is 409. Before a request is understood it may be refused with 400 (`MALFORMED_HTTP`), 408 (`REQUEST_TIMEOUT`), 413 (`BODY_TOO_LARGE`), \
417 (`EXPECTATION_FAILED`), 431 (`HEADERS_TOO_LARGE`), 501 (`METHOD_NOT_IMPLEMENTED`, `TRANSFER_ENCODING_NOT_IMPLEMENTED`) or 505 \
(`HTTP_VERSION_NOT_SUPPORTED`); another method than a path has is 405 (`METHOD_NOT_ALLOWED`) with `Allow`.

## Repeating
A call with `Idempotency-Key` may be repeated under the same key: it answers with the first result and `Idempotency-Replayed: true`. The other calls \
that have the same effect once or several times say so. 429 and 503 say in `Retry-After` when to come back, and `RateLimit` how much is left.

## Pages
Lists take `pageSize` and `pageToken`, which is the `nextPageToken` of the page before; it is empty on the last page.

## Reading less
Each GET has HEAD, an `ETag` that `If-None-Match` takes (304), and `fields`, which names the fields of the answer that are wanted. Answers are \
compressed by gzip for those who accept it. Every path has OPTIONS, which answers 204 with `Allow`.

## GraphQL
`POST /graphql` with a JSON body of at most 64 KiB, and `GET` for persisted queries by their SHA-256: products with their variants, prices and stock. 200 \
has `data` and `errors`, with the code in `extensions.code`; what is refused before is a problem as here.

## Live
- `GET /ws/orders` is a WebSocket (subprotocol `bivouac.orders.v1`, the token as the subprotocol `bearer.<token>`): changes of the caller's orders.
- `GET /sse/flash-sales?tenant=<tenant>` is an event stream (`text/event-stream`) of the flash sales that run, begin and end.
"""

TOKEN = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
         "description": "A JWT of the shop's issuer with the claims `iss`, `aud`, `exp`, `sub` (the user), `tenant` and `role`. No token is 401, "
                        "a role that may not call is 403."}

_ID = {"type": "string", "maxLength": 128, "pattern": "^[ -~]*$"}


def _parameter(name, description, schema, required=False):
    return {"name": name, "in": "header", "description": description, **({"required": True} if required else {}), "schema": schema}


_KEY = "Chosen by the client for each thing it wants done, 1 to 255 printable ASCII characters, as a UUID. "

PARAMETERS = {
    "TenantId": _parameter("X-Tenant-Id", "The tenant. Needed without a token; with one it has to be the token's.",
                           {"type": "string", "maxLength": 63, "pattern": "^([a-z0-9][a-z0-9-]*)?$"}),
    "CorrelationId": _parameter("Correlation-Id", "Passed on to all that comes of the request, its events too; made when not given.", _ID),
    "RequestId": _parameter("X-Request-Id", "Comes back in the answer; made when not given.", _ID),
    "IdempotencyKey": _parameter("Idempotency-Key", _KEY + "A repeat answers with the first result.",
                                 {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}, required=True),
    "IdempotencyKeyOptional": _parameter("Idempotency-Key", _KEY + "With one, a repeat answers with the first result.",
                                         {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"}),
    "IfNoneMatch": _parameter("If-None-Match", "`ETag`s of answers that the client has: 304 when one of them is current.", {"type": "string"}),
    "IfMatch": _parameter("If-Match", "The `ETag` that the change is meant for: 412 when it is not current.",
                          {"type": "string", "pattern": r'^(\*|(W/)?"[^"]*")$'}),
    "Fields": {"name": "fields", "in": "query", "schema": {"type": "string"},
               "description": "Only these fields of the answer, separated by commas: `orders.orderId,nextPageToken`. Then others are left out, also "
                              "those that are `required` below."},
}

HEADERS = {
    "X-Request-Id": {"description": "The request's, or a new one.", "required": True, "schema": {"type": "string"}, "example": TRACE_ID},
    "Correlation-Id": {"description": "The request's, or else its `X-Request-Id`.", "required": True, "schema": {"type": "string"}, "example": TRACE_ID},
    "ETag": {"description": "Tells this version of the answer from others.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left, and seconds until more comes (IETF draft)", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "What the limits are.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Public reads without a token may be kept by a cache for a moment.", "schema": {"type": "string"}},
    "Location": {"description": "The path of what was made.", "required": True, "schema": {"type": "string"}},
    "Idempotency-Replayed": {"description": "`true`: this is the result of an earlier request under the key.",
                             "schema": {"type": "string", "enum": ["true"]}},
    "Retry-After": {"description": "Seconds to wait before the next try.", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "How to prove who calls (RFC 6750).", "required": True, "schema": {"type": "string"}},
}


def _health(operation, summary, description, away):
    status = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "enum": ["ok", "not ready"]}}}
    return {"get": {
        "operationId": operation, "summary": summary, "description": description, "tags": ["Platform"], "security": [{}],
        "responses": {"200": {"description": "It does.", "content": {"application/json": {"schema": status, "example": {"status": "ok"}}}}, **(
            {"503": {"description": "It does not.", "content": {"application/json": {"schema": status, "example": {"status": "not ready"}}}}} if away else {})}}}


PLATFORM = {
    "/healthz": _health("getHealth", "Whether the gateway lives", "For a supervisor: answers while the process lives.", False),
    "/readyz": _health("getReadiness", "Whether the gateway takes requests", "For a load balancer: 503 while it starts and drains.", True),
    "/openapi.json": {"get": {
        "operationId": "getOpenApi", "summary": "This document", "description": "`/docs` shows it where the gateway was given the page.",
        "tags": ["Platform"], "security": [{}], "parameters": [{"$ref": "#/components/parameters/IfNoneMatch"}],
        "responses": {"200": {"description": "OpenAPI 3.1.", "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                              "content": {"application/json": {"schema": {"type": "object"}}}},
                      "304": {"description": "The document is what `If-None-Match` says."}}}},
}
