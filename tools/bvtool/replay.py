"""Replays: the rows of a read model made anew from the topics, compared, and read instead. The replay service does it; this asks it, shows
how far it is, and says what came of it."""

import datetime
import json
import re
import subprocess
import sys
import time
import uuid

from . import credentials, specs
from .console import Failure, bold, green, red, say
from .layout import BIN, GOOGLEAPIS

SERVICE = "commerce.replay.v1.Replays"
INTERVAL = 0.5  # seconds between two looks
PATIENCE = 60.0  # seconds that the service may be away meanwhile
RUNNING = ("BUILDING", "COMPARING")
OFFSET = re.compile(r"(?P<topic>[a-zA-Z0-9._-]+):(?P<partition>\d+)=(?P<offset>\d+)")


class Away(Failure):
    """The service does not answer at the moment."""


class Replays:
    """The gRPC service of a stack, as an operator calls it."""

    def __init__(self, stack):
        self._address = stack.address(specs.grpc_offset("replay"))
        self._token = credentials.token(stack, "OPERATOR", user="bv", lifetime=24 * 3600)

    def call(self, method, request, key=None, seconds=30):
        headers = ["-H", f"authorization: Bearer {self._token}"]
        if key:
            headers += ["-H", f"idempotency-key: {key}"]
        # The contract by reflection; the types of error details by file, because no service declares them.
        done = subprocess.run([str(BIN / "grpcurl"), "-plaintext", "-use-reflection", "-import-path", str(GOOGLEAPIS), "-proto",
                               "google/rpc/error_details.proto", "-emit-defaults", "-format-error", "-max-time", str(seconds), *headers,
                               "-d", "@", self._address, f"{SERVICE}/{method}"],
                              input=json.dumps(request), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return _plain(json.loads(done.stdout))
        if done.returncode in (64 + 4, 64 + 14) or "Failed to dial" in done.stderr:  # DEADLINE_EXCEEDED, UNAVAILABLE
            raise Away("The replay service does not answer; `tools/bv status` shows whether it runs.")
        raise Failure(_message(done.stderr))


def _plain(answer):
    """With the words for states and purposes as they stand in rows and metrics, as REST has them: without the enum's name before them."""
    for replay in [answer, *answer.get("replays", [])]:
        for name in ("state", "purpose"):
            if name in replay:
                replay[name] = replay[name].removeprefix(f"{name.upper()}_")
    return answer


def _message(stderr):
    try:
        error = json.loads(stderr[stderr.index("{"):])
    except ValueError:
        return stderr.strip()
    reasons = [detail["reason"] for detail in error.get("details", []) if detail.get("reason")]
    return ": ".join([*reasons, error.get("message", "")])


def request_of(projection, verify=False, until=None, until_offsets=None, accept_differences=False, pass_over_refused=False):
    """A StartReplayRequest as JSON."""
    if verify and (until or until_offsets):
        raise Failure("Either compare (--verify) or make the rows of another time (--until, --until-offsets).")
    if until and until_offsets:
        raise Failure("Either a time (--until) or offsets (--until-offsets).")
    request = {"projection": projection, "purpose": "PURPOSE_VERIFY" if verify else "PURPOSE_REBUILD", "accept_differences": accept_differences,
               "pass_over_refused": pass_over_refused}
    if until:
        request |= {"purpose": "PURPOSE_POINT_IN_TIME", "time": _time(until)}
    if until_offsets:
        request |= {"purpose": "PURPOSE_POINT_IN_TIME", "offsets": {"offsets": [_offset(text) for text in until_offsets]}}
    return request


def _time(text):
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Failure(f"{text!r} is no time: write 2026-11-22T08:30:00Z, or 2026-11-22T08:30:00+01:00.") from None
    if moment.tzinfo is None:
        raise Failure(f"Say the time zone of {text}: {text}Z is UTC.")
    return moment.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def _offset(text):
    match = OFFSET.fullmatch(text)
    if not match:
        raise Failure(f"{text!r} is no offset: write <topic>:<partition>=<offset>.")
    return {"topic": match["topic"], "partition": int(match["partition"]), "offset": match["offset"]}


def run(replays, request, as_json=False):
    """From the start to the end; returns the exit code. ^C leaves it running."""
    key = str(uuid.uuid4())
    replay = _patiently(lambda: replays.call("StartReplay", request, key))
    try:
        replay = follow(replays, replay, None if as_json else sys.stdout)
    except KeyboardInterrupt:
        say(f"\nIt goes on: `tools/bv replay {replay['projection']} --status` shows it, --cancel ends it.")
        return 130
    if as_json:
        say(json.dumps(replay, indent=1))
    else:
        show_end(replay)
    return exit_code(replay)


def follow(replays, replay, out):
    """Waits for the end and returns the replay as it is then; meanwhile the progress stands in one line of `out`."""
    terminal = out is not None and out.isatty()
    last = ""
    while True:
        line = progress(replay)
        if out is not None and line != last:
            out.write(f"\r\033[K{line}" if terminal else f"{line}\n")
            out.flush()
            last = line
        if replay["state"] not in RUNNING:
            if terminal:
                out.write("\n")
            return replay
        time.sleep(INTERVAL)
        replay = _patiently(lambda: replays.call("GetReplay", {"replay_id": replay["replay_id"]}))


def _patiently(ask):
    """The service may be away for a while: what it does is not lost."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Away:
            if time.monotonic() > deadline:
                raise
            time.sleep(INTERVAL)


def progress(replay):
    applied, in_all = int(replay["messages_applied"]), int(replay["messages_in_all"])
    line = f"{replay['state'].lower():9}  {applied:,} of {in_all:,} messages"
    rate = replay["messages_per_second"]
    if replay["state"] not in RUNNING or rate < 1:
        return line
    line += f", {rate:,.0f}/s"
    return f"{line}, {(in_all - applied) / rate:.0f} s left" if applied < in_all else line


def exit_code(replay):
    return 0 if replay["state"] == "DONE" else 1


def show_end(replay):
    for line in verdict(replay):
        say(line)


def verdict(replay):
    """What came of it, in lines."""
    state, purpose, rows = replay["state"], replay["purpose"], replay["rows_version"]
    name = bold(replay["projection"])
    parity = replay.get("parity")
    lines = []
    if state == "FAILED":
        lines.append(f"{red('failed')}: {replay['failure']}")
        lines.append(_left(replay) if purpose != "VERIFY" else "Nothing was changed.")
    elif state == "CANCELED":
        lines.append(f"{name}: canceled, and its rows are gone.")
    elif purpose == "POINT_IN_TIME":
        lines.append(f"{green('done')}: the rows of {name} as they were stand beside the live ones as version {rows}.")
    elif state == "DIFFERENT":
        lines.append(f"{red('different')}: the rows of {name} that are read are not what the log says.")
        lines.append(_left(replay) if purpose == "REBUILD" else "Nothing was changed; a rebuild with --accept-differences mends them.")
    elif purpose == "VERIFY":
        lines.append(f"{green('equal')}: the rows of {name} are what the log says.")
    else:
        equal = parity and parity["buckets_different"] == 0
        lines.append(f"{green('done')}: {name} is read from version {rows} now, " +
                     ("which was equal to what was read before." if equal else "which mends what differed before."))
        lines.append(f"Version {replay['live_version']} stays until `tools/bv replay {replay['projection']} --drop {replay['live_version']}`.")
    if int(replay["messages_refused"]):
        lines.append(f"{int(replay['messages_refused']):,} events were refused and passed over.")
    if parity and state != "CANCELED":
        lines += _parity(parity)
    return lines


def _left(replay):
    return (f"Version {replay['live_version']} is read as before; version {replay['rows_version']} stays to be looked at, until "
            f"`tools/bv replay {replay['projection']} --drop {replay['rows_version']}`.")


def _parity(parity):
    lines = [f"  rows       {int(parity['rows_live']):,} live, {int(parity['rows_rebuilt']):,} rebuilt"]
    lines += [f"  {total['column']:<10} {int(total['live']):,} live, {int(total['rebuilt']):,} rebuilt" for total in parity["sums"]]
    for row in parity["differences"]:
        lines.append(f"  {row['tenant_id']}  {row['key']}")
        lines.append(f"      live     {row['live']}")
        lines.append(f"      rebuilt  {row['rebuilt']}")
    if parity["buckets_different"] and len(parity["differences"]) == 100:
        lines.append("  … and more: only the first 100 are listed.")
    return lines


def show_status(replays, projection, as_json=False):
    state = replays.call("GetProjection", {"projection": projection})
    if as_json:
        say(json.dumps(state, indent=1))
        return
    others = [str(version) for version in state["rows_versions"] if version != state["live_version"]]
    say(f"{bold(projection)}: version {state['live_version']} is read" + (f"; beside it: {', '.join(others)}" if others else ""))
    if state["made_by"] != state["function_version"]:
        say(f"It was made by version {state['made_by']} of the projection, which is {state['function_version']} now: rebuild it.")
    for replay in state["replays"]:
        say(f"  {replay['started_at'][:19]}  {replay['purpose']:<13}  version {replay['rows_version']:<4}  {progress(replay)}  {replay['failure']}")


def cancel(replays, projection):
    """Returns the exit code."""
    running = [replay for replay in replays.call("GetProjection", {"projection": projection})["replays"] if replay["state"] in RUNNING]
    if not running:
        say(f"Nothing of {bold(projection)} is being replayed.")
        return 0
    replay = _patiently(lambda: replays.call("CancelReplay", {"replay_id": running[0]["replay_id"]}))
    show_end(follow(replays, replay, None))
    return 0


def drop(replays, projection, rows_version):
    """Of many rows it takes a while."""
    replays.call("DropRows", {"projection": projection, "rows_version": rows_version}, seconds=600)
    say(f"The rows of version {rows_version} of {bold(projection)} are gone.")
