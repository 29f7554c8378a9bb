"""The command line of tools/bv."""

import argparse
import json
import os
import pathlib
import signal
import sys

from . import (audit, build, check, connect, credentials, demo, dlq, downloads, environment, mosquitto, postgres, replay, schemas, setup, specs, stack as stacks, status, supervisor, testing,
               trace, welcome)
from .console import Failure, bold, note, red, say
from .layout import KAFKA_CLIENTS, Stack, preset_of

OVERVIEW = """\
Bivouac's one command: from a fresh clone to a fleet that takes orders.

  tools/bv up          set up, build, start everything, place a first order; ^C ends it
  tools/bv test        the same set-up, then every test suite
"""


def _parser():
    parser = argparse.ArgumentParser(prog="tools/bv", description=OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", metavar="command", required=True)

    def verb(name, text, run, stack=True):
        added = verbs.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        if stack:
            added.add_argument("--stack", default="dev", metavar="NAME", help="which stack (default: dev)")
        return added

    up = verb("up", "install what is missing, build, start servers and fleet, place one order", _up)
    up.add_argument("--detach", action="store_true", help="return when everything is ready, and leave it running")
    up.add_argument("--profile", choices=specs.PROFILES, default="core", help="how much of the fleet (default: core)")
    up.add_argument("--no-build", action="store_true", help="start what is built already")
    up.add_argument("--servers-only", action="store_true", help=argparse.SUPPRESS)
    verb("down", "stop all processes, services first", _down)
    verb("reset", "stop, and delete the stack's data", _reset)
    verb("status", "every process with port, memory and health", _status).add_argument("--json", action="store_true")
    logs = verb("logs", "the end of one service's log, or of all", _logs)
    logs.add_argument("service", nargs="?")
    logs.add_argument("-f", "--follow", action="store_true")
    verb("env", "KEY=VALUE lines of the running stack", _env)
    checks = verb("check", "prove from the databases that nothing was oversold, lost or doubled", _check)
    checks.add_argument("--json", action="store_true")
    checks.add_argument("--tenant", default="", metavar="TENANT", help="of this tenant only (default: of all)")
    checks.add_argument("--grace", type=float, default=check.GRACE, metavar="SECONDS",
                        help=f"how long what is under way may take before it counts as wrong (default: {check.GRACE:.0f})")
    checks.add_argument("--database", default=postgres.DATABASE, help=argparse.SUPPRESS)
    trail = verb("audit", "prove that the audit trail is as it was written, or print the ends of its chains, to be kept elsewhere", _audit)
    trail.add_argument("action", choices=("verify", "heads"))
    trail.add_argument("--tenant", default="", metavar="TENANT", help="of this tenant only (default: of all)")
    trail.add_argument("--head", type=pathlib.Path, metavar="FILE", help="with `verify`: ends that were noted before, by `heads` or in audit-trail's log")
    trail.add_argument("--json", action="store_true")
    events = verb("schemas", "compare the events' schemas with a registry, register them, or list what it has", _schemas)
    events.add_argument("action", choices=schemas.ACTIONS)
    events.add_argument("--registry", default="", metavar="URL", help="where Confluent's REST API begins (default: the stack's registry)")
    events.add_argument("--ids", type=pathlib.Path, metavar="FILE", help="with `register`: writes the schemas' ids for outbox-relay")
    events.add_argument("--folder", type=pathlib.Path, default=schemas.EVENTS, help=argparse.SUPPRESS)
    letters = verb("dlq", "dead letters of the consumers: list, show, have them tried again, or give them up", _dlq)
    letters.add_argument("action", choices=("list", "show", "redrive", "drop"))
    letters.add_argument("topic", nargs="?", help="a dead-letter topic; `list` shows them")
    letters.add_argument("--offset", type=int, metavar="N", help="this letter only")
    letters.add_argument("--all", action="store_true", help="redrive or drop every letter of the topic")
    letters.add_argument("--why", default="", metavar="TEXT", help="drop: why they are given up, for the record")
    letters.add_argument("--json", action="store_true")
    device = verb("device", "give a device an account at the MQTT broker, or further SKUs; prints its new password", _device)
    device.add_argument("action", choices=("add",))
    device.add_argument("name", metavar="TENANT/DEVICE")
    device.add_argument("--sku", nargs="+", required=True, metavar="SKU", help="of which it reports the stock")
    again = verb("replay", "make the rows of a read model anew from the topics, compare them, and have them read", _replay)
    again.add_argument("projection", help="orders_by_customer, daily_revenue, …")
    again.add_argument("--verify", action="store_true", help="only say whether the live rows are what the log says")
    again.add_argument("--until", metavar="TIME", help="make the rows as they were at this time (2026-11-22T08:30:00Z) beside the live ones")
    again.add_argument("--until-offsets", nargs="+", metavar="TOPIC:PARTITION=OFFSET", help="the same, before these offsets")
    again.add_argument("--accept-differences", action="store_true", help="have the new rows read also when they differ from the live ones")
    again.add_argument("--pass-over-refused", action="store_true", help="go on after an event that the projection refuses, as the live path does")
    instead = again.add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="show the versions of the rows, and the replays")
    instead.add_argument("--cancel", action="store_true", help="end the replay that runs; its rows go")
    instead.add_argument("--drop", type=int, metavar="N", help="delete the rows of a version that is not read")
    again.add_argument("--json", action="store_true")
    spans = verb("trace", "show what an order went through: the spans of its traces as trees", _trace)
    spans.add_argument("order", metavar="ORDER-ID")
    spans.add_argument("--json", action="store_true", help="print the spans")
    token = verb("token", "print a JWT of the development issuer", _token)
    token.add_argument("--role", choices=credentials.ROLES, required=True)
    token.add_argument("--tenant", default=credentials.DEMO_TENANT)
    token.add_argument("--user", default=credentials.DEMO_USER)
    token.add_argument("--hours", type=float, default=12, help="validity; negative for an expired one (default: 12)")
    test = verb("test", "run the test suites (ctest labels), all when none is named", _test, stack=False)
    test.add_argument("suite", nargs="*")
    test.add_argument("--sanitizer", choices=("address", "thread"))
    test.add_argument("--no-build", action="store_true", help="test what is built already")
    bench = verb("bench", "run the benchmarks of tests/load, all when none is named", _bench, stack=False)
    bench.add_argument("name", nargs="*")
    bench.add_argument("--no-build", action="store_true", help="measure what is built already")
    verb("build", "set up and build", _build, stack=False).add_argument("--sanitizer", choices=("address", "thread"))
    return parser


def _supervise_parser():
    parser = argparse.ArgumentParser(prog="tools/bv _supervise")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--preset", required=True)
    parser.add_argument("--servers-only", action="store_true")
    return parser


def _connect_parser():
    parser = argparse.ArgumentParser(prog="tools/bv _connect")
    parser.add_argument("--stack", required=True)
    return parser


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["_connect"]:
        with setup.exclusive():
            downloads.debezium()
        connect.become(Stack(_connect_parser().parse_args(arguments[1:]).stack))
    if arguments[:1] == ["_supervise"]:
        asked = _supervise_parser().parse_args(arguments[1:])
        return supervisor.main(Stack(asked.stack), asked.profile, asked.preset, asked.servers_only)
    os.umask(0o022)
    # A closed terminal or a `kill` ends what runs in the foreground as ^C does: with everything stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    asked = _parser().parse_args(arguments)
    try:
        return asked.run(asked) or 0
    except Failure as failure:
        print(f"{red('error:')} {failure}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _interrupt(*_):
    raise KeyboardInterrupt


def _up(asked):
    stack = Stack(asked.stack)
    if stacks.running(stack):
        say(f"The stack {bold(stack.name)} is up already; `tools/bv logs -f` follows it, `tools/bv down` stops it.\n")
        status.show(stack)
        return 0
    preset = preset_of(None)
    with setup.exclusive():
        setup.run(cdc=asked.profile == "cdc")
        if not (asked.no_build or asked.servers_only):
            build.run(preset)
    stacks.start(stack, asked.profile, preset, asked.servers_only)
    try:
        if not asked.servers_only:
            order_id = demo.run(stack)
            schemas.register_at_start(stack)
            welcome.show(stack, order_id)
        if asked.detach:
            note("It stays up. `tools/bv status` shows it, `tools/bv down` stops it.")
            return 0
        note("^C stops everything.")
        return stacks.watch(stack)
    except KeyboardInterrupt:
        say()
        stacks.down(stack)
        return 0
    except Failure:
        stacks.down(stack)
        raise


def _down(asked):
    if not stacks.down(Stack(asked.stack)):
        say(f"Nothing of the stack {bold(asked.stack)} runs.")


def _reset(asked):
    if stacks.reset(Stack(asked.stack)):
        say(f"The data of the stack {bold(asked.stack)} is deleted.")
    else:
        say(f"The stack {bold(asked.stack)} has no data.")


def _status(asked):
    stack = Stack(asked.stack)
    if asked.json:
        say(json.dumps(status.as_json(stack), indent=1))
    else:
        status.show(stack)


def _logs(asked):
    try:
        return status.logs(Stack(asked.stack), asked.service, asked.follow)
    except KeyboardInterrupt:
        return 0


def _env(asked):
    stack = Stack(asked.stack)
    now = stacks.running(stack)
    if not now:
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    for name, value in environment.variables(stack, now["preset"]).items():
        say(f"{name}={value}")


def _check(asked):
    stack = Stack(asked.stack)
    if not stacks.running(stack):
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    report = check.run(stack, asked.tenant, asked.grace, asked.database)
    if asked.json:
        say(json.dumps(report.as_json(), indent=1))
    else:
        check.show(report)
    return 1 if report.wrong else 0


def _audit(asked):
    stack = Stack(asked.stack)
    if not stacks.running(stack):
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    trail = audit.Trail(stack)
    if asked.action == "heads":
        audit.show_heads(trail.ends(asked.tenant))
        return 0
    results = trail.verify(asked.tenant, audit.read_heads(asked.head) if asked.head else None)
    if asked.json:
        say(json.dumps([result.as_json() for result in results], indent=1))
    else:
        audit.show(results)
    return 1 if any(result.defect for result in results) else 0


def _schemas(asked):
    schemas.run(asked.action, asked.registry or schemas.url_of(Stack(asked.stack)), asked.folder, asked.ids)


def _dlq(asked):
    stack = Stack(asked.stack)
    now = stacks.running(stack)
    if not now:
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    kafka = dlq.kafka_of(stack, now["preset"])
    if asked.action == "list":
        dlq.show_list(kafka, asked.json)
        return
    if not asked.topic:
        raise Failure("Which topic? `tools/bv dlq list` shows them.")
    if asked.action == "show":
        dlq.show(kafka, asked.topic, asked.offset, asked.json)
        return
    if (asked.offset is None) != asked.all:
        raise Failure(f"Say which letters to {asked.action}: --offset N, or --all.")
    if asked.action == "redrive":
        say(f"{len(dlq.redrive(kafka, asked.topic, asked.offset))} letters are tried again.")
        return
    if not asked.why:
        raise Failure("Say why they are given up: --why TEXT goes on record.")
    say(f"{len(dlq.drop(kafka, asked.topic, asked.offset, asked.why))} letters are given up.")


def _device(asked):
    say(mosquitto.add_device(Stack(asked.stack), asked.name, asked.sku))


def _replay(asked):
    stack = Stack(asked.stack)
    if not stacks.running(stack):
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    replays = replay.Replays(stack)
    if asked.status:
        replay.show_status(replays, asked.projection, asked.json)
        return 0
    if asked.cancel:
        return replay.cancel(replays, asked.projection)
    if asked.drop is not None:
        replay.drop(replays, asked.projection, asked.drop)
        return 0
    request = replay.request_of(asked.projection, asked.verify, asked.until, asked.until_offsets, asked.accept_differences,
                                asked.pass_over_refused)
    return replay.run(replays, request, asked.json)


def _trace(asked):
    stack = Stack(asked.stack)
    if not stacks.running(stack):
        raise Failure(f"The stack `{stack.name}` does not run; `tools/bv up` starts it.")
    trace.run(trace.Store(stack.address(KAFKA_CLIENTS)), asked.order, asked.json)


def _token(asked):
    say(credentials.token(Stack(asked.stack), asked.role, asked.tenant, asked.user, int(asked.hours * 3600)))


def _test(asked):
    return testing.test(asked.suite, asked.sanitizer, asked.no_build)


def _bench(asked):
    return testing.bench(asked.name, asked.no_build)


def _build(asked):
    with setup.exclusive():
        setup.run()
        build.run(preset_of(asked.sanitizer))
