"""Dead letters: what consumers could not handle. Looked at, tried again, or given up, with a record of who decided what.

Kafka cannot delete one record, so a decision is a record of its own behind the letter, in the same topic: of an event's records the last one
counts.
"""

import dataclasses
import datetime
import getpass
import json
import subprocess
import tempfile

from . import environment
from .console import Failure, bold, say

SUFFIX = ".dlq"
ORIGIN = "__connect.errors."
DECISION = "bv.decision"
# Bytes, which kcat cannot be given; who takes the event again does not need it.
SCHEMA_ID = "__value_schema_id"
# What consumers and this tool add to the headers that the event came with.
ADDED = ("group", "attempts", "eventId")
WRITER = "tools/bv"


@dataclasses.dataclass
class Letter:
    """A record of a dead-letter topic."""
    topic: str
    number: int  # its offset; dead-letter topics have one partition
    written_at: int  # milliseconds
    key: str
    value: str | None
    headers: dict

    @property
    def event(self):
        """Where it came from, which names the event."""
        return tuple(self.headers.get(ORIGIN + part, "") for part in ("topic", "partition", "offset"))

    @property
    def open(self):
        return DECISION not in self.headers

    @property
    def reason(self):
        return self.headers.get(ORIGIN + "exception.class.name", "") + ": " + self.headers.get(ORIGIN + "exception.message", "")

    def as_json(self):
        return dataclasses.asdict(self)


class Kafka:
    """The stock client, kcat."""

    def __init__(self, brokers):
        self.brokers = brokers

    def _run(self, arguments, text=b""):
        done = subprocess.run(["kcat", "-b", self.brokers, "-q", *arguments], input=text, capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise Failure(f"Kafka: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def topics(self):
        return {topic["topic"]: len(topic["partitions"]) for topic in json.loads(self._run(["-L", "-J"]))["topics"]}

    def read(self, topic):
        # The broker need not wait for more: else each topic takes half a second.
        said = self._run(["-C", "-t", topic, "-o", "beginning", "-e", "-J", "-X", "fetch.wait.max.ms=10"])
        letters = []
        for record in map(json.loads, said.decode(errors="surrogateescape").splitlines()):
            pairs = record.get("headers", [])
            letters.append(Letter(topic, record["offset"], record["ts"], record["key"], record["payload"],
                                  dict(zip(pairs[::2], pairs[1::2]))))
        return sorted(letters, key=lambda letter: letter.number)

    def write(self, topic, partition, key, value, headers):
        """One record; without a value it is a null."""
        arguments = ["-P", "-t", topic, "-p", str(partition)]
        for name, text in headers.items():
            arguments += ["-H", f"{name}={text}"]
        if value is None:
            # An empty line would be none at all, so the key stands in the line, and nothing behind it.
            self._run([*arguments, "-Z", "-K", "\t"], f"{key}\t\n".encode())
            return
        # A file is one record, whatever is in it; a pipe is not one.
        with tempfile.NamedTemporaryFile() as file:
            file.write(value.encode(errors="surrogateescape"))
            file.flush()
            self._run([*arguments, "-k", key, file.name])


def kafka_of(stack, preset):
    return Kafka(environment.variables(stack, preset)["BV_KAFKA_BROKERS"])


def open_letters(kafka, topic):
    """Those about which nothing was decided yet, the oldest first."""
    last = {letter.event: letter for letter in kafka.read(topic)}
    return sorted((letter for letter in last.values() if letter.open), key=lambda letter: letter.number)


def show_list(kafka, as_json):
    rows = []
    for topic in sorted(name for name in kafka.topics() if name.endswith(SUFFIX)):
        letters = open_letters(kafka, topic)
        rows.append({"topic": topic, "open": len(letters), "keys": len({letter.key for letter in letters}),
                     "oldest": _time(letters[0].written_at) if letters else None})
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    for row in rows:
        say(f"{row['open']:6} letters of {row['keys']} keys  {bold(row['topic'])}  {row['oldest'] or ''}")


def show(kafka, topic, number, as_json):
    letters = _chosen(kafka, topic, number)
    if as_json:
        say(json.dumps([letter.as_json() for letter in letters], indent=1))
        return
    for letter in letters:
        say(f"{bold(str(letter.number))}  {_time(letter.written_at)}  key {letter.key}  from {'/'.join(letter.event)}")
        say(f"    {letter.reason}")
        say("    " + "  ".join(f"{name}={text}" for name, text in letter.headers.items() if not name.startswith(ORIGIN) and name != SCHEMA_ID))
        if number is not None:
            say(letter.value)


def redrive(kafka, topic, number):
    """Has them tried again, in their place before what is parked behind them. The oldest come first."""
    letters = _chosen(kafka, topic, number)
    retry = _retry_topic(kafka, topic)
    if not retry:
        raise Failure(f"The group of `{topic}` makes a read model. Its rows have gone on behind these events and would pass them over. "
                      "Mend why they are refused, then make the rows anew: `tools/bv replay <projection>`.")
    for letter in letters:
        headers = {name: text for name, text in letter.headers.items() if not name.startswith(ORIGIN) and name not in (*ADDED, SCHEMA_ID)}
        headers |= _names(letter, "parked") | {
            "retry.key": letter.key, "retry.writtenAt": letter.written_at, "retry.attempts": letter.headers.get("attempts", "0"),
            "retry.pauses": "0", "retry.due": "0", "retry.why": "redriven"}
        kafka.write(retry, letter.event[1], _record_key(letter), letter.value, headers)
        _decide(kafka, letter, "redriven", "")
    return letters


def drop(kafka, topic, number, why):
    """Gives them up; what is parked behind them goes on."""
    letters = _chosen(kafka, topic, number)
    retry = _retry_topic(kafka, topic)
    for letter in letters:
        # Last the record of it, which closes the letter: until then it can be dropped again, so that no key stays parked behind a closed one.
        if retry:
            kafka.write(retry, letter.event[1], _record_key(letter), None, _names(letter, "done"))
        _decide(kafka, letter, "dropped", why)
    return letters


def _names(letter, state):
    topic, partition, offset = letter.event
    return {"retry.state": state, "retry.topic": topic, "retry.partition": partition, "retry.offset": offset, "retry.writer": WRITER}


def _record_key(letter):
    return f"{letter.event[0]}@{letter.event[2]}"


def _decide(kafka, letter, decision, why):
    headers = {name: text for name, text in letter.headers.items() if name.startswith(ORIGIN)}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    headers |= {DECISION: decision, "bv.by": getpass.getuser(), "bv.at": now, "bv.why": why}
    kafka.write(letter.topic, 0, letter.key, None, headers)


def _retry_topic(kafka, topic):
    """None of a read model's group: it goes on behind what it refuses (libs/projections), so nothing is parked and nothing taken again."""
    retry = topic.removesuffix(SUFFIX) + ".retry"
    return retry if retry in kafka.topics() else None


def _chosen(kafka, topic, number):
    if not topic.endswith(SUFFIX) or topic not in kafka.topics():
        raise Failure(f"`{topic}` is no dead-letter topic; `tools/bv dlq list` shows them.")
    letters = open_letters(kafka, topic)
    if number is None:
        return letters
    chosen = [letter for letter in letters if letter.number == number]
    if not chosen:
        raise Failure(f"`{topic}` has no open letter {number}; `tools/bv dlq show {topic}` shows them.")
    return chosen


def _time(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).isoformat(timespec="seconds")
