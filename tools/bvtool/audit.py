"""`audit`: proves from the database that nobody has changed, removed, moved or cut off what people did, by its own computation of the chains.

What is hashed is written down in services/audit-trail/README.md; this shares nothing with the service but that page."""

import base64
import dataclasses
import hashlib
import json
import pathlib

from . import credentials, postgres
from .console import Failure, bold, dim, green, red, say

VERSION = "bivouac.audit.1"
NO_HASH = "0" * 64
PAGE = 5_000  # entries read at once
COLUMNS = ("number", "entry_id", "occurred_at", "actor", "role", "action", "object_type", "object_id", "outcome", "reason", "before", "after",
           "correlation_id", "recorded_at", "previous_hash", "hash")
TIMES = ("occurred_at", "recorded_at")

# Of every tenant, or of one: where its chain ends by what was noted with it, and the highest number that there is; as of one moment.
_ENDS = """
SELECT json_build_object('tenant', t.tenant_id, 'number', coalesce(c.number, 0), 'hash', c.hash,
                         'last', coalesce((SELECT max(number) FROM audit.audit_entry e WHERE e.tenant_id = t.tenant_id), 0))
FROM (SELECT tenant_id FROM audit.audit_chain UNION SELECT tenant_id FROM audit.audit_entry) t LEFT JOIN audit.audit_chain c USING (tenant_id)
WHERE :'tenant' IN ('', t.tenant_id) ORDER BY t.tenant_id;
"""
# In base64: a text may have anything in it that ends a line.
_ENTRIES = """
SELECT translate(encode(convert_to(json_build_array({columns})::text, 'UTF8'), 'base64'), E'\n', '') FROM audit.audit_entry
WHERE tenant_id = :'tenant' AND number > :after AND number <= :last ORDER BY number LIMIT {page};
""".format(page=PAGE, columns=", ".join(f"(extract(epoch FROM {name}) * 1e6)::bigint" if name in TIMES else name for name in COLUMNS))


@dataclasses.dataclass(frozen=True)
class Defect:
    number: int
    kind: str  # CHANGED, MISSING, MOVED or CUT_OFF, as the service's VerifyChain says it
    text: str


@dataclasses.dataclass(frozen=True)
class Result:
    """Of one tenant's chain."""

    tenant: str
    checked: int
    number: int  # of the last entry that is as it should be
    hash: str  # its hash
    defect: Defect = None

    def as_json(self):
        return dataclasses.asdict(self)


def hash_of(tenant, entry):
    """The SHA-256 of netstrings: what the README says."""
    fields = [VERSION, entry["previous_hash"], tenant, *(str(entry[name]) for name in COLUMNS if name not in ("previous_hash", "hash"))]
    digest = hashlib.sha256()
    for field in fields:
        text = field.encode()
        digest.update(b"%d:%s," % (len(text), text))
    return digest.hexdigest()


def verify_entries(tenant, entries, end, noted=()):
    """The Result of a chain: `entries` are dicts by number, `end` is what the database says of it, `noted` are {number: hash} from elsewhere."""
    noted = dict(noted)
    last, last_hash, checked = 0, NO_HASH, 0

    def result(number, kind, text):
        return Result(tenant, checked, last, last_hash, Defect(number, kind, text))

    for entry in entries:
        checked += 1
        number = last + 1
        if entry["number"] != number:
            return result(number, "MISSING", f"entry {number} is missing: the next one is {entry['number']}")
        if entry["hash"] != hash_of(tenant, entry):
            return result(number, "CHANGED", f"entry {number} was changed: it is not what its hash says")
        if entry["previous_hash"] != last_hash:
            return result(number, "MOVED", f"entry {number} does not follow entry {last}: that one was replaced or moved")
        if noted.get(number, entry["hash"]) != entry["hash"]:
            return result(number, "CHANGED", f"entry {number} was noted elsewhere with the hash {noted[number]}: the chain was made anew")
        last, last_hash = number, entry["hash"]
    if last < end["number"]:
        return result(last + 1, "CUT_OFF", f"the chain ends with entry {last}, and its end was noted as entry {end['number']}")
    if end["last"] > end["number"]:
        return result(end["number"] + 1, "CUT_OFF", f"entry {end['last']} stands behind the noted end of the chain, entry {end['number']}")
    if last and end["hash"] != last_hash:
        return result(last, "CUT_OFF", f"the end of the chain was noted with the hash {end['hash']}")
    beyond = [number for number in noted if number > last]
    if beyond:
        return result(last + 1, "CUT_OFF", f"the chain ends with entry {last}, and entry {max(beyond)} was noted elsewhere")
    return Result(tenant, checked, last, last_hash)


def read_heads(file):
    """{tenant: {number: hash}} of a file with a JSON object a line, from `heads` or the log of audit-trail; other lines are passed over."""
    found = {}
    for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines():
        try:
            noted = json.loads(line)
            tenant, number, hash_ = noted["chain"], noted["number"], noted["hash"]
        except (ValueError, KeyError, TypeError):
            continue
        found.setdefault(tenant, {})[int(number)] = hash_
    if not found:
        raise Failure(f"{file} notes no heads of chains.")
    return found


class Trail:
    """The audit trail of a stack, in its database."""

    def __init__(self, stack):
        self.stack = stack

    def _ask(self, text, **variables):
        return postgres.ask(self.stack, credentials.password(self.stack, postgres.SUPERUSER), text, variables=variables)

    def ends(self, tenant=""):
        return [json.loads(line) for line in self._ask(_ENDS, tenant=tenant)]

    def entries(self, tenant, last):
        after = 0
        while True:
            lines = self._ask(_ENTRIES, tenant=tenant, after=after, last=last)
            rows = [dict(zip(COLUMNS, json.loads(base64.b64decode(line)))) for line in lines]
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]["number"]

    def verify(self, tenant="", noted=None):
        """[Result], one a tenant; also of a tenant that was noted and has nothing."""
        noted = {name: heads for name, heads in (noted or {}).items() if tenant in ("", name)}
        ends = {end["tenant"]: end for end in self.ends(tenant)}
        for name in noted:
            ends.setdefault(name, {"tenant": name, "number": 0, "hash": None, "last": 0})
        return [verify_entries(name, self.entries(name, end["number"]), end, noted.get(name, ())) for name, end in sorted(ends.items())]


def show(results):
    for result in results:
        if result.defect:
            say(f"{red('wrong')} {bold(result.tenant)}  {result.defect.text}")
        else:
            say(f"{green('ok')} {bold(result.tenant)}  {result.number:,} {'entry' if result.number == 1 else 'entries'} {dim(result.hash)}")
    wrong = sum(1 for result in results if result.defect)
    checked = f"{sum(result.checked for result in results):,} entries in {len(results):,} chains: "
    say(checked + (red(bold(f"{wrong:,} chains are not as they were written.")) if wrong else green("nothing changed, removed or moved.")))


def show_heads(ends):
    for end in ends:
        if end["number"]:
            say(json.dumps({"chain": end["tenant"], "number": end["number"], "hash": end["hash"]}))
