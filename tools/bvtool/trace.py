"""What an order went through: the spans of its traces as trees, from what the stack's collector kept."""

import dataclasses
import datetime
import json
import re
import subprocess
import time

from . import collector
from .console import Failure, bold, dim, red, say

ORDER = re.compile(r"ord_[0-9a-hjkmnp-tv-z]{26}")
# A span waits a second in its process and 0.2 s in the collector.
PATIENCE = 4.0  # seconds
# Of an event: for most of those with an order in them, the order's id.
KEY = "messaging.kafka.message.key"
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
KINDS = {INTERNAL: "internal", SERVER: "server", CLIENT: "client", PRODUCER: "producer", CONSUMER: "consumer"}
FAILED = 2


@dataclasses.dataclass
class Span:
    trace_id: str
    span_id: str
    parent_span_id: str  # empty for the first of a trace
    service: str
    name: str
    kind: int
    start: int  # nanoseconds since 1970
    end: int
    attributes: dict
    error: str  # empty unless it failed

    def as_json(self):
        return {**dataclasses.asdict(self), "kind": KINDS.get(self.kind, str(self.kind))}


class Store:
    """The collector's topic. Its records are lists of OTLP's ResourceSpans in JSON, a line each."""

    def __init__(self, brokers):
        self._brokers = brokers

    def of_order(self, order_id):
        """All spans of the traces that have an event of the order, by trace id."""
        lines = self._lines()
        traces = {span.trace_id for line in lines if order_id in line for span in spans(line) if span.attributes.get(KEY) == order_id}
        return self._of(lines, traces)

    def of_trace(self, trace_id):
        return self._of(self._lines(), {trace_id}).get(trace_id, [])

    def _of(self, lines, traces):
        found = {trace: {} for trace in traces}
        for line in lines:
            if any(trace in line for trace in traces):
                for span in spans(line):
                    if span.trace_id in found:
                        found[span.trace_id][span.span_id] = span  # one that was sent twice counts once
        return {trace: sorted(by_id.values(), key=lambda span: span.start) for trace, by_id in found.items()}

    def _lines(self):
        done = subprocess.run(["kcat", "-b", self._brokers, "-q", "-C", "-t", collector.TOPIC, "-o", "beginning", "-e",
                               "-X", "fetch.wait.max.ms=10"], capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise Failure(f"The spans cannot be read from Kafka: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace").splitlines()


def spans(line):
    """The spans of one record."""
    for resource in json.loads(line):
        service = _attributes(resource["resource"]).get("service.name", "?")
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                status = span.get("status") or {}
                error = (status.get("message") or "failed") if status.get("code") == FAILED else ""
                yield Span(span["traceId"], span["spanId"], span["parentSpanId"], service, span["name"], span["kind"],
                           int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]), _attributes(span), error)


def _attributes(holder):
    return {entry["key"]: entry["value"].get("stringValue", "") for entry in holder["attributes"]}


def run(store, order_id, as_json):
    if not ORDER.fullmatch(order_id):
        raise Failure(f"{order_id!r} is not an order id, which is `ord_` and 26 letters and digits.")
    traces = _find(store, order_id)
    if as_json:
        say(json.dumps([span.as_json() for found in traces for span in found], indent=1))
    else:
        for line in report(order_id, traces):
            say(line)


def _find(store, order_id):
    """The order's traces, the oldest first; waits a little for one that has just happened."""
    deadline = time.monotonic() + PATIENCE
    while not (found := store.of_order(order_id)):
        if time.monotonic() > deadline:
            raise Failure(f"No span of the order {order_id} is kept. The newest {int(collector.RETENTION['retention.bytes']) >> 20} MiB of "
                          "spans are, for a day, of requests that were sampled (BV_OTLP_SAMPLE_RATIO).")
        time.sleep(0.3)
    return sorted(found.values(), key=lambda of_trace: of_trace[0].start)


def report(order_id, traces):
    """Lines for a person."""
    yield bold(f"Order {order_id}")
    for found in traces:
        first, last = found[0].start, max(span.end for span in found)
        at = datetime.datetime.fromtimestamp(first / 1e9).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        yield ""
        yield f"{bold(found[0].name)}  {dim(f'trace {found[0].trace_id}, {at}, {len(found)} spans in {_millis(last - first)}')}"
        yield dim(f"{'START':>12} {'TIME':>11}")
        for prefix, span in tree(found):
            told = f"{prefix}{bold(span.service)}  {_title(span)}"
            details = "  ".join(_details(span))
            yield (f"{_millis(span.start - first):>12} {_millis(span.end - span.start):>11}  {told}" + (f"  {dim(details)}" if details else "")
                   + (f"  {red(span.error)}" if span.error else ""))


def tree(found):
    """(branch, span) in the order of a tree: each below its parent, those of one parent in the order of their start. What has a parent that is
    not there, a caller's from elsewhere for example, stands at the top."""
    known = {span.span_id for span in found}
    children = {}
    for span in found:
        children.setdefault(span.parent_span_id if span.parent_span_id in known else "", []).append(span)

    def below(parent, indent):
        for i, span in enumerate(children.get(parent, [])):
            is_last = i + 1 == len(children[parent])
            yield indent + ("└─ " if is_last else "├─ "), span
            yield from below(span.span_id, indent + ("   " if is_last else "│  "))

    for root in children.get("", []):
        yield "", root
        yield from below(root.span_id, "")


def _title(span):
    # Of "commerce.order.v1.Orders.CreateOrder" the last two parts say enough.
    name = ".".join(span.name.split(".")[-2:]) if "rpc.system" in span.attributes or span.name.startswith("commerce.") else span.name
    return f"→ {name}" if span.kind == CLIENT else name


def _details(span):
    said = span.attributes
    if "http.response.status_code" in said:
        yield said["http.response.status_code"]
    if "eventType" in said:
        yield said["eventType"].partition(".")[2]
    if span.kind == CONSUMER:
        yield f"as {said.get('messaging.consumer.group.name', '?')}, partition {said.get('messaging.destination.partition.id', '?')}"
    if "lane.batch_size" in said:
        yield f"batch of {said['lane.batch_size']}, waited {float(said['lane.wait_ms']):.2f} ms"
    if said.get("userId"):
        yield f"user {said['userId']}"


def _millis(nanoseconds):
    return f"{nanoseconds / 1e6:,.2f} ms"
