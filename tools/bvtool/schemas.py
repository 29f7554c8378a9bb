"""`schemas`: the contract's events in a schema registry, by Confluent's REST API. The subject of an event is its type, and a new version has to
be readable beside all old ones (BACKWARD_TRANSITIVE). For deployments; what runs never asks a registry."""

import json
import os
import time
import urllib.parse

from . import compatibility, registry, web
from .console import Failure, note, say, table, warn
from .layout import REGISTRY_HTTP, ROOT, write_whole

EVENTS = ROOT / "protos" / "events"
ENDING = ".schema.json"
ACTIONS = ("check", "register", "list")
COMPATIBILITY = "BACKWARD_TRANSITIVE"
STARTED_WITHIN = 15.0  # seconds that `up` waits for the registry, which starts beside the fleet
# What a registry that asks who calls is told: "Basic …" or "Bearer …". In the environment, since every user sees command lines.
AUTHORIZATION = "BV_REGISTRY_AUTHORIZATION"
ABSENT = (40401, 40402, 40403)  # Confluent's codes of a subject, a version, a schema that is not there


def of_folder(folder=EVENTS):
    """{event type: JSON Schema as text}"""
    found = {path.name.removesuffix(ENDING): path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"*{ENDING}"))}
    if not found:
        raise Failure(f"No *{ENDING} in {folder}.")
    return found


class Registry:
    """One registry. Every call raises Failure when it does not answer as it should."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def subjects(self):
        return self._call("GET", "/subjects")

    def versions(self, subject):
        """The numbers of its versions; none when it is not there."""
        return self._call("GET", f"/subjects/{_quoted(subject)}/versions", absent=[])

    def version(self, subject, number="latest"):
        """{"id", "version", "schema", …}"""
        return self._call("GET", f"/subjects/{_quoted(subject)}/versions/{number}")

    def objections(self, subject, text):
        """What speaks against a schema as the next version, as sentences; nothing against what is there already."""
        answer = self._call("POST", f"/compatibility/subjects/{_quoted(subject)}/versions/latest?verbose=true", _body(text),
                            absent={"is_compatible": True})
        if answer["is_compatible"]:
            return []
        new = json.loads(text)
        # Which field it is, not every registry says.
        named = [problem for number in self.versions(subject)
                 for problem in compatibility.problems(json.loads(self.version(subject, number)["schema"]), new)]
        return list(dict.fromkeys(named)) or answer.get("messages") or ["the registry does not say why"]

    def registered(self, subject, text):
        """{"id", "version", …} of exactly this schema, None when it is not there."""
        return self._call("POST", f"/subjects/{_quoted(subject)}", _body(text), absent=None)

    def register(self, subject, text):
        """Makes it the next version, unless it is one already; returns that and whether it was new."""
        known = self.registered(subject, text)
        if not known:
            self._call("POST", f"/subjects/{_quoted(subject)}/versions", _body(text))
        return known or self.registered(subject, text), not known

    def demand_compatibility(self, subject):
        """Of a subject that is there."""
        self._call("PUT", f"/config/{_quoted(subject)}", {"compatibility": COMPATIBILITY})

    def _call(self, method, path, body=None, absent=Failure):
        """`absent` is the answer where nothing of the name is there; without it, that is a Failure like any other."""
        headers = {"Authorization": os.environ[AUTHORIZATION]} if AUTHORIZATION in os.environ else {}
        answer, _ = web.call(method, self.url + path, body, headers, expect=(200,) if absent is Failure else (200, 404))
        return absent if isinstance(answer, dict) and answer.get("error_code") in ABSENT else answer


def _quoted(subject):
    return urllib.parse.quote(subject, safe="")


def _body(text):
    return {"schemaType": "JSON", "schema": text}


def check(url, folder=EVENTS):
    """{event type: objections} of the types that the registry would refuse."""
    server = Registry(url)
    found = {subject: server.objections(subject, text) for subject, text in of_folder(folder).items()}
    return {subject: objections for subject, objections in found.items() if objections}


def register(url, folder=EVENTS):
    """Registers what is new, after all of it was found compatible. Returns (event type, id, version, whether it is new) of each."""
    wanted = of_folder(folder)
    server = Registry(url)
    for subject in wanted.keys() & set(server.subjects()):
        server.demand_compatibility(subject)
    refused = check(url, folder)
    if refused:
        raise Failure("\n".join(_told(refused)))
    rows = []
    for subject, text in wanted.items():
        entry, is_new = server.register(subject, text)
        if is_new:
            server.demand_compatibility(subject)
        rows.append((subject, entry["id"], entry["version"], is_new))
    return rows


def write_ids(path, rows):
    """What outbox-relay puts into the header `__value_schema_id`. The newest schema of a type reads what was written by all before it, so one id a
    type will do."""
    write_whole(path, json.dumps({subject: number for subject, number, _, _ in rows}, indent=1) + "\n")


def _told(refused):
    yield f"{len(refused)} event types would break their consumers:"
    for subject, objections in refused.items():
        yield from (f"  {subject}  {objection}" for objection in objections)
    yield "Add instead of changing, or begin a v2; see protos/README.md."


def run(action, url, folder=EVENTS, ids=None):
    """The command. `ids` is a file to be written, of `register` only."""
    if ids and action != "register":
        raise Failure("--ids is of `register`.")
    if action == "check":
        refused = check(url, folder)
        if refused:
            raise Failure("\n".join(_told(refused)))
        note(f"{len(of_folder(folder))} event types are compatible with what {url} has.")
    elif action == "register":
        rows = register(url, folder)
        if ids:
            write_ids(ids, rows)
        for line in table([(*row[:3], "new" if row[3] else "") for row in rows], ("EVENT TYPE", "ID", "VERSION", "")):
            say(line)
    else:
        server = Registry(url)
        latest = [server.version(subject) for subject in sorted(server.subjects())]
        for line in table([(entry["subject"], entry["id"], entry["version"]) for entry in latest], ("SUBJECT", "ID", "VERSION")):
            say(line)


def url_of(stack):
    return registry.url(stack.address(REGISTRY_HTTP))


def register_at_start(stack):
    """What `up` does when the fleet is ready. The fleet needs none of it, so nothing of it ends the call."""
    address = stack.address(REGISTRY_HTTP)
    deadline = time.monotonic() + STARTED_WITHIN
    try:
        while not registry.answers(address):
            if time.monotonic() > deadline:
                raise Failure(f"it does not answer; its log is {stack.log('registry')}")
            time.sleep(0.1)
        rows = register(url_of(stack))
        write_ids(stack.schema_ids, rows)
        note(f"{len(rows)} event schemas are registered, {sum(row[3] for row in rows)} of them new.")
    except Failure as failure:
        warn(f"The schema registry: {failure}")
