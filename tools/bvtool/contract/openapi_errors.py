"""Errors of the API: which status a call may answer with, and the codes of its problem.

What a call refuses by itself is read from the comment of its method; what any call may answer stands here. tests/proto compares the codes with
those in the sources."""

import re

STATUS_OF = {"NOT_FOUND": 404, "PERMISSION_DENIED": 403, "ALREADY_EXISTS": 409, "ABORTED": 409, "FAILED_PRECONDITION": 409, "RESOURCE_EXHAUSTED": 429,
             "UNAVAILABLE": 503}
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 412: "Precondition Failed", 413: "Content Too Large",
          415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
          504: "Gateway Timeout"}

# Of any call that has the status: code → what it means.
COMMON = {
    400: {
        "INVALID_HEADER": "A header is given twice, too long or not printable ASCII.",
        "TENANT_MISSING": "Without a token, `X-Tenant-Id` names the tenant.",
        "IDEMPOTENCY_KEY_MISSING": "This call needs the header `Idempotency-Key`.",
        "MALFORMED_JSON": "The body is no JSON object in UTF-8, or too deep or too large.",
        "UNEXPECTED_BODY": "This call takes no body.",
        "MALFORMED_PATH": "A `%` in the path is not followed by two hexadecimal digits.",
        "MALFORMED_QUERY": "A `%` in the query is not followed by two hexadecimal digits.",
        "UNKNOWN_FIELD": "There is no such field or parameter.",
        "DUPLICATE_FIELD": "A field or parameter is given twice.",
        "WRONG_TYPE": "A value is of another type than the field.",
        "INVALID_VALUE": "A value is out of range; without a body, whatever is wrong with a parameter.",
        "INVALID_ID": "A parameter is no id of this kind.",
        "PRECONDITION_NOT_SUPPORTED": "This call does not take `If-Match` or `If-None-Match`.",
    },
    401: {
        "TOKEN_MISSING": "The header `Authorization` is missing.",
        "TOKEN_MALFORMED": "It is not a bearer token, or no JWT.",
        "TOKEN_INVALID": "Signature, issuer, audience or a claim is wrong.",
        "TOKEN_EXPIRED": "The token is not valid any more.",
        "TOKEN_REVOKED": "The token was revoked, or the account that it is of was deactivated.",
    },
    403: {
        "ROLE_NOT_ALLOWED": "The role may not call this.",
        "PERMISSION_MISSING": "This takes a permission that the account was not given.",
        "TENANT_MISMATCH": "`X-Tenant-Id` is not the token's tenant.",
        "POLICY_DENIED": "A rule about this object forbids it.",
    },
    404: {"ROUTE_NOT_FOUND": "There is no such path."},
    409: {
        "IDEMPOTENCY_KEY_RACED": "Another request under the key is under way: send it again.",
        "SERIALIZATION_FAILURE": "Two changes met: send it again.",
        "DEADLOCK": "Two changes met: send it again.",
    },
    412: {"VERSION_CONFLICT": "`If-Match` is not the current `ETag`."},
    413: {"BODY_TOO_LARGE": "The body is larger than the gateway takes, 1 MiB unless set."},
    415: {
        "UNSUPPORTED_MEDIA_TYPE": "The body has to be `application/json`.",
        "UNSUPPORTED_CONTENT_ENCODING": "The body must not be compressed.",
    },
    422: {
        "INVALID_VALUE": "A value of the body is not allowed; `field` names it.",
        "INVALID_ID": "A value of the body is no id of this kind.",
        "IDEMPOTENCY_KEY_REUSED": "The key was used for another request.",
    },
    429: {"RATE_LIMITED": "Too many requests of this tenant, token or address.", "OVERLOADED": "A queue is full."},
    500: {"INTERNAL": "Our fault; quote the `traceId`."},
    503: {
        "OVERLOADED": "More requests than can be served at the moment.",
        "KEYS_PENDING": "The key of the token is not known yet, and is being asked for.",
        "ACCESS_PENDING": "Which tokens were revoked is not known yet.",
        "POLICY_UNAVAILABLE": "Whether the caller may do this cannot be decided at the moment.",
        "PEER_UNAVAILABLE": "A service is away.",
        "DATABASE_UNAVAILABLE": "The database is away.",
        "UNAVAILABLE": "A service is away.",
    },
    504: {"DEADLINE_EXCEEDED": "A service did not answer in time; a change may have been made or not. Repeat it under its Idempotency-Key."},
}

# Of single calls, where the comment does not name them: operation → status → codes.
_MORE = {
    "CreateOrder": {404: ["CART_NOT_FOUND"], 409: ["CART_EMPTY"], 422: ["CURRENCY_MISMATCH", "AMOUNT_TOO_LARGE"]},
    "PayOrder": {409: ["ORDER_BUSY"], 503: ["PROCESS_PENDING"]}, "ConfirmPayment": {409: ["ORDER_BUSY"], 503: ["PROCESS_PENDING"]},
    "CancelOrder": {409: ["ORDER_BUSY"], 503: ["PROCESS_PENDING"]}, "FulfillOrder": {409: ["ORDER_BUSY"], 503: ["PROCESS_PENDING"]},
    "SetItem": {409: ["CART_BUSY"]}, "RemoveItem": {409: ["CART_BUSY"]}, "MergeCart": {409: ["CART_BUSY"]},
    "AdjustStock": {422: ["SKU_UNKNOWN"]}, "GetDailyRevenue": {400: ["RANGE_TOO_LARGE"]},
    "CreateSubscription": {422: ["EVENT_TYPE_UNKNOWN"]}, "UpdateSubscription": {422: ["EVENT_TYPE_UNKNOWN"]}, "RedeliverRange": {422: ["FILTER_REQUIRED"]},
}

_STATUS = re.compile(r"\b(INVALID_ARGUMENT|" + "|".join(STATUS_OF) + r")\b|\b([A-Z]+(?:_[A-Z]+)+)\b")
_AS = re.compile(r"\b[Aa]s ([A-Z][a-z]+[A-Z]\w+)(?: and ([A-Z][a-z]+[A-Z]\w+))?")


def codes(service, method, has_body):
    """{status: codes} that the comment of the method names, those of the methods that it refers to ("as GetOrder") and of its service included."""
    others = {other.name: other.comment for other in service.methods}
    referred = [others[name] for name in filter(None, sum(_AS.findall(method.comment), ())) if name in others]
    found = {}
    for more in (*(_own(comment, has_body) for comment in (method.comment, *referred)), _MORE.get(method.name, {}),
                 _own(service.comment, has_body) if not method.access.get("retriable") else {}):
        for status, named in more.items():
            known = found.setdefault(status, [])
            known += [code for code in named if code not in known]
    return found


def _own(comment, has_body):
    found, status = {}, None
    for word, code in _STATUS.findall(comment):
        if word:
            status = _http(word, has_body)
            found.setdefault(status, [])
        elif status and code not in found[status]:
            found[status].append(code)
    return found


def _http(word, has_body):
    return STATUS_OF.get(word) or (422 if has_body else 400)


def in_http(comment, has_body):
    """The comment with HTTP's words: "NOT_FOUND, reason ORDER_NOT_FOUND" → "404, code `ORDER_NOT_FOUND`"."""
    said = re.sub(r"\b(INVALID_ARGUMENT|" + "|".join(STATUS_OF) + r")\b", lambda found: str(_http(found[1], has_body)), comment)
    said = re.sub(r"\b(reason|reasons)(?= (?:[A-Z]+_|as ))", lambda found: found[1].replace("reason", "code"), said)
    return re.sub(r"(?<![`\w])([A-Z]+(?:_[A-Z]+)+)(?![`\w])", r"`\1`", said)


def response(status, own):
    """A reference to the response of the status, with the call's own codes in its description."""
    reference = {"$ref": f"#/components/responses/{TITLES[status].replace(' ', '')}"}
    if own:
        # The description beside a reference takes the place of its own (OpenAPI 3.1, Reference Object).
        reference["description"] = f"{TITLES[status]}: {', '.join(f'`{code}`' for code in own)}, or one that any call may answer with."
    return reference


def responses():
    """Of components."""
    return {title.replace(" ", ""): _response(status, title) for status, title in TITLES.items()}


def _response(status, title):
    headers = ["X-Request-Id", "Correlation-Id", "RateLimit", "RateLimit-Policy"]
    headers += ["WWW-Authenticate"] if status == 401 else ["Retry-After"] if status in (429, 503) else []
    meanings = COMMON[status]
    code = next(iter(meanings), "ORDER_NOT_FOUND")
    return {
        "description": f"{title}.\n\n" + "\n".join(f"- `{each}`: {meaning}" for each, meaning in meanings.items()),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _example(status, title, code)}},
    }


def _example(status, title, code):
    return {"type": f"urn:bivouac:problem:{code.lower().replace('_', '-')}", "title": title, "status": status, "detail": COMMON[status][code].replace("`", ""),
            "instance": "/api/v1/orders/ord_01hf7yat00fytbh9k0vn3k5d6c", "code": code, "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}


def problem_schema():
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457). Programs branch on `code`, which never changes its meaning; `detail` is for people.",
        "required": ["type", "title", "status", "detail", "code", "traceId"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:bivouac:problem:` and the code in small letters."},
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "instance": {"type": "string", "description": "The path of the request."},
            "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$", "description": "Stable."},
            "field": {"type": "string", "description": "The field, parameter or header that caused it, as `items[2].qty`; absent when no single one did."},
            "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "To be quoted when something is reported."},
        },
    }
