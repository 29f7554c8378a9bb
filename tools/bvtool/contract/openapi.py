"""The OpenAPI document of the REST routes: what services/gateway makes of google.api.http and of the options `access` and `rest`."""

import re

from .example import request_example, response_example
from .openapi_errors import codes, in_http, problem_schema, response, responses
from .openapi_schemas import Schemas, camel, text
from .openapi_text import DESCRIPTION, HEADERS, PARAMETERS, PLATFORM, TOKEN

_ROLES = {"ROLE_CUSTOMER": "CUSTOMER", "ROLE_STAFF": "STAFF", "ROLE_ADMIN": "ADMIN", "ROLE_SERVICE": "SERVICE", "ROLE_OPERATOR": "OPERATOR"}
_ALWAYS = (400, 401, 403, 429, 500, 503, 504)
_WITH_BODY = (413, 415, 422)


def document(protos, version):
    schemas = Schemas(protos)
    schemas.add("Problem", problem_schema())
    services = [service for service in protos.services if any(method.routes for method in service.methods)]
    paths = {}
    for service in services:
        for method in service.methods:
            for route in method.routes:
                operations = paths.setdefault(re.sub(r"{(\w+)}", lambda found: "{" + camel(found[1]) + "}", route.path), {})
                operations[route.verb.lower()] = _operation(protos, schemas, service, method, route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bivouac", "version": version, "summary": "The REST API of a shop's back end.", "description": DESCRIPTION,
                 "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "The gateway that serves this document."}],
        "tags": [{"name": _tag(service), "description": text(in_http(service.comment, False))} for service in services]
                + [{"name": "Platform", "description": "Of the gateway itself."}],
        "security": [{"token": []}],
        "paths": {**dict(sorted(paths.items())), **PLATFORM},
        "components": {
            "schemas": schemas.all(),
            "responses": responses(),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {"token": TOKEN},
        },
    }


def _tag(service):
    return service.name.rsplit(".", 1)[1]


def _operation(protos, schemas, service, method, route):
    in_path = re.findall(r"{(\w+)}", route.path)
    request = protos.messages[method.request]
    key = method.access.get("idempotencyKey", "").replace("IDEMPOTENCY_KEY_", "")
    made = {
        "operationId": method.name[0].lower() + method.name[1:],
        "summary": re.sub(r"(?<=[a-z])([A-Z])", lambda found: " " + found[1].lower(), method.name),
        "description": _description(method, route.body),
        "tags": [_tag(service)],
        "x-roles": [_ROLES[role] for role in method.access.get("roles", ())],
    }
    if method.access.get("permission"):
        made["x-permission"] = method.access["permission"]
    if method.access.get("public"):
        made["security"] = [{"token": []}, {}]
    made["parameters"] = _parameters(schemas, method, route, request, in_path, key)
    if route.body:
        made["requestBody"] = _body(protos, schemas, request, in_path)
    own = codes(service, method, route.body)
    statuses = {*_ALWAYS, *own, *(_WITH_BODY if route.body else ()), *((404,) if in_path else ()), *((409,) if route.verb != "GET" else ()),
                *((412,) if _takes_if_match(request) else ())}
    made["responses"] = {str(method.rest.get("status", 200)): _success(protos, schemas, method, route, key)}
    if route.verb == "GET":
        made["responses"]["304"] = {"description": "The answer is what `If-None-Match` says.", "headers": {"ETag": _header("ETag"), **_ids()}}
    for status in sorted(statuses):
        made["responses"][str(status)] = response(status, own.get(status, ()))
    return made


def _description(method, has_body):
    roles = " ".join(filter(None, (
        "Public: without a token, `X-Tenant-Id` names the tenant." if method.access.get("public") else "",
        "Roles: " + ", ".join(_ROLES[role] for role in method.access["roles"]) + "." if method.access.get("roles") else "",
        f"STAFF takes the permission `{method.access['permission']}`." if method.access.get("permission") else "",
        "It has the same effect once or several times." if method.access.get("retriable") and has_body else "")))
    return "\n\n".join(filter(None, (text(in_http(method.comment, has_body)), roles)))


def _parameters(schemas, method, route, request, in_path, key):
    fields = {field.name: field for field in request.fields}
    made = [_parameter(schemas, method, fields[name], "path") for name in in_path]
    if not route.body:
        made += [_parameter(schemas, method, field, "query") for field in request.fields if field.name not in in_path]
    names = ["Fields", "IfNoneMatch"] if route.verb == "GET" else []
    names += ["IdempotencyKey" + ("" if key == "REQUIRED" else "Optional")] if key in ("REQUIRED", "OPTIONAL") else []
    names += ["IfMatch"] if _takes_if_match(request) else []
    return made + [{"$ref": f"#/components/parameters/{name}"} for name in (*names, "TenantId", "CorrelationId", "RequestId")]


def _parameter(schemas, method, field, place):
    schema = schemas.parameter(field, place != "path")
    comment = schema.pop("description", "")
    if place == "path" and schema == {"type": "string"}:
        schema["minLength"] = 1
    return {"name": field.json_name, "in": place, **({"description": comment} if comment else {}),
            **({"required": True} if place == "path" or schemas.is_required(method.request, field) else {}), "schema": schema}


def _body(protos, schemas, request, in_path):
    schema = schemas.request(request.name, in_path)
    needed = [field for field in request.fields if field.name not in in_path and schemas.is_required(request.name, field)]
    example = request_example(protos, request, lambda message, field: field.name not in in_path and schemas.is_required(message.name, field))
    return {"required": bool(needed) or not schemas.may_be_absent(request.name), "content": {"application/json": {"schema": schema, "example": example}}}


def _success(protos, schemas, method, route, key):
    headers = _ids()
    if route.verb == "GET" or _takes_if_match(protos.messages[method.request]):
        headers["ETag"] = _header("ETag")
    if route.verb == "GET":
        headers["Cache-Control"] = _header("Cache-Control")
    if "location" in method.rest:
        headers["Location"] = _header("Location")
    if key in ("REQUIRED", "OPTIONAL"):
        headers["Idempotency-Replayed"] = _header("Idempotency-Replayed")
    status = method.rest.get("status", 200)
    message = protos.messages[method.response]
    said = message.comment if message.fields else "Done."
    return {
        "description": text(said) or ("Made." if status == 201 else "The answer."),
        "headers": headers,
        "content": {"application/json": {"schema": schemas.answer(method.response), "example": response_example(protos, message)}},
    }


def _takes_if_match(request):
    """As services/gateway/rest/conditional.h has it."""
    return any(field.name == "expected_version" for field in request.fields)


def _ids():
    return {name: _header(name) for name in ("X-Request-Id", "Correlation-Id", "RateLimit", "RateLimit-Policy")}


def _header(name):
    return {"$ref": f"#/components/headers/{name}"}
