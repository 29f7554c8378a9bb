"""`check`: proves from the databases that nothing was oversold, lost or doubled, and says in plain words where it was."""

import dataclasses
import json
import time
import typing

from . import credentials, gateways, invariants, postgres
from .console import bold, dim, green, red, say

GRACE = 300.0  # seconds that something under way may take before it counts as wrong
# What the rows of a table are called.
WORDS = {"inventory.inventory_stock": "places with stock", "inventory.reservation": "reservations", "orders.orders": "orders",
         "orders.shipment": "shipments", "orders.idempotency_record": "idempotency keys", "payment.payments": "payments",
         "product.flash_sale": "flash sales", "outbox.event": "events"}
SHOWN = 10  # violations of one invariant that are printed
KEPT = 1000  # and that are read

# Every query of a check sees one snapshot, so no order can be seen without its stock because it came in between. Tables that were filled a
# moment ago have no statistics yet; hash joins are right for all of them, whatever the planner believes.
_BEGIN = """\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL enable_nestloop = off;
SET LOCAL work_mem = '64MB';
SET LOCAL timezone = 'UTC';
SET LOCAL statement_timeout = '10min';
SELECT json_build_object('snapshot', to_char(now(), 'YYYY-MM-DD HH24:MI:SS') || ' UTC');
"""
_QUERY = """\
SELECT {there} AS there \\gset
\\if :there
SELECT jsonb_build_object('name', '{name}', 'rows', (SELECT count(*) FROM {table} WHERE :'tenant' IN ('', tenant_id)),
                          'wrong', coalesce(max(total), 0),
                          'found', coalesce(jsonb_agg(jsonb_build_object('tenant', tenant_id, 'subject', subject, 'text', text)), '[]'))
FROM (SELECT *, count(*) OVER () AS total FROM (
{violations}
      ) v WHERE :'tenant' IN ('', tenant_id) ORDER BY tenant_id, subject, text LIMIT {kept}) v;
\\else
SELECT jsonb_build_object('name', '{name}', 'absent', {absent});
\\endif
"""


@dataclasses.dataclass(frozen=True)
class Result:
    """Of one invariant."""

    invariant: invariants.Invariant
    rows: int = 0  # looked at
    wrong: int = 0  # violations
    found: typing.Tuple[dict, ...] = ()  # the first of them: {tenant, subject, text}
    absent: str = ""  # what this stack does not have, a table or a process; then nothing was proved

    def as_json(self):
        return {"name": self.invariant.name, "group": self.invariant.group, "holds": self.invariant.holds, "rows": self.rows,
                "wrong": self.wrong, "found": list(self.found), "means": self.invariant.means, "absent": self.absent}


@dataclasses.dataclass(frozen=True)
class Report:
    stack: str
    snapshot: str  # when, as the database says
    seconds: float
    results: typing.Tuple[Result, ...]

    @property
    def wrong(self):
        return sum(result.wrong for result in self.results)

    def as_json(self):
        return {"stack": self.stack, "snapshot": self.snapshot, "seconds": round(self.seconds, 3), "wrong": self.wrong,
                "invariants": [result.as_json() for result in self.results]}


def script(with_gateways=False):
    """What psql is told; with what the gateways' ledgers are compared with at its end."""
    parts = [_BEGIN]
    for one in invariants.ALL:
        there = " AND ".join(f"to_regclass('{table}') IS NOT NULL" for table in one.tables)
        absent = "concat_ws(', ', {})".format(", ".join(
            f"CASE WHEN to_regclass('{table}') IS NULL THEN '{table}' END" for table in one.tables))
        parts.append(_QUERY.format(name=one.name, table=one.table, there=there, absent=absent, violations=one.violations, kept=KEPT))
    if with_gateways:
        parts.append(f"SELECT to_regclass('{gateways.PAYMENTS}') IS NOT NULL AS there \\gset\n\\if :there\n{gateways.QUERY}\\endif\n")
    return "".join([*parts, "COMMIT;\n"])


def run(stack, tenant="", grace=GRACE, database=postgres.DATABASE):
    """Checks one tenant, or all when none is named."""
    started = time.monotonic()
    ledgers = gateways.read(stack) if database == postgres.DATABASE else None
    lines = postgres.ask(stack, credentials.password(stack, postgres.SUPERUSER), script(ledgers is not None), database,
                         {"tenant": tenant, "grace": f"{grace:g} seconds"})
    head, *answers = [json.loads(line) for line in lines]
    results = [Result(one, **{key: tuple(value) if key == "found" else value for key, value in answer.items() if key != "name"})
               for one, answer in zip(invariants.ALL, answers)]
    results.append(_gateways(stack, ledgers, answers[len(invariants.ALL):], tenant))
    return Report(stack.name, head["snapshot"], time.monotonic() - started, tuple(results))


def _gateways(stack, ledgers, payments, tenant):
    after = gateways.read(stack) if ledgers is not None else None
    if after is None:
        return Result(gateways.AGREE, absent="payment gateway simulator")
    found = gateways.compare(ledgers, payments, after, tenant)
    return Result(gateways.AGREE, rows=len(payments), wrong=len(found), found=tuple(found[:KEPT]))


def show(report):
    width = max(len(result.invariant.name) for result in report.results)
    for result in report.results:
        name = f"{result.invariant.name:<{width}}"
        if result.absent:
            say(f"{dim('-')} {name}  {dim(f'skipped, there is no {result.absent}')}")
        elif not result.wrong:
            say(f"{green('ok')} {name}  {result.invariant.holds} {dim(f'({result.rows:,})')}")
        else:
            _show_wrong(result, name)
    say()
    counts = {}
    for result in report.results:
        if not result.absent:
            counts.setdefault(WORDS[result.invariant.table], result.rows)
    proved = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    when = f"One snapshot of {report.stack} at {report.snapshot}, checked in {report.seconds:.1f} s: {proved or 'nothing'}."
    if report.wrong:
        say(f"{when} {red(bold(f'{report.wrong:,} wrong.'))}")
    else:
        say(f"{when} {green('Nothing oversold, lost or doubled.')}")


def _show_wrong(result, name):
    say(f"{red('wrong')} {name}  {bold(f'{result.wrong:,} times not so')}: {result.invariant.holds}")
    for violation in result.found[:SHOWN]:
        say(f"      {violation['tenant']}: {violation['text']}")
    if result.wrong > SHOWN:
        say(dim(f"      and {result.wrong - SHOWN:,} more"))
    say(f"      {result.invariant.means}")

