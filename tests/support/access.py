"""The table of who may call what, protos/access.md: kept by hand, so that a change of the contract's options is seen twice."""

import functools
import re

from support import contract

TABLE = contract.PROTOS / "access.md"
# Beside nobody, who has no token, and the services, which the contract names one by one.
ROLES = ("CUSTOMER", "STAFF", "ADMIN", "OPERATOR")
NOBODY, SERVICE = "nobody", "SERVICE"
_ROW = re.compile(r"^\| `([\w.]+/\w+)` \|(.*)\|$", re.MULTILINE)
YES, NO = "yes", "–"
_PERMISSION = re.compile(r"^`([a-z]+\.(?:read|write))`$")
# What those who work for a tenant are given (services/identity).
PERMISSIONS = {"catalog.write", "stock.write", "prices.write", "orders.read", "orders.write", "payments.write", "mails.write", "webhooks.write",
               "reports.read", "staff.write"}


@functools.lru_cache(maxsize=None)
def table():
    """{method: who may call}: "nobody" for a call without a token, roles, and services by the names they sign with. Of STAFF it may take a
    permission besides, see `permissions`."""
    found = {}
    for method, cells in _ROW.findall(TABLE.read_text(encoding="utf-8")):
        nobody, *roles, services = (cell.strip() for cell in cells.split("|"))
        who = {role for role, cell in zip((NOBODY, *ROLES), (nobody, *roles), strict=True) if _is_yes(cell)}
        if services == "all":
            who.add(SERVICE)
        found[method] = who | set(re.findall(r"`([\w-]+)`", services))
    return found


@functools.lru_cache(maxsize=None)
def permissions():
    """{method: what STAFF has to have been given to call it}, where the table names something."""
    column = (NOBODY, *ROLES).index("STAFF")
    found = {method: _PERMISSION.match(cells.split("|")[column].strip()) for method, cells in _ROW.findall(TABLE.read_text(encoding="utf-8"))}
    return {method: match.group(1) for method, match in found.items() if match}


def _is_yes(cell):
    if cell not in (YES, NO) and not _PERMISSION.match(cell):
        raise ValueError(f"a cell of {TABLE} is {YES}, {NO} or a permission, not {cell!r}")
    return cell != NO


def of_contract(method):
    """The same from the options. What is public is so within a tenant, and an operator has none."""
    access = method.access
    if access.get("public"):
        return {NOBODY, "CUSTOMER", "STAFF", "ADMIN", SERVICE}
    roles = {role.replace("ROLE_", "") for role in access.get("roles", [])}
    return (roles - {SERVICE}) | set(access.get("callers", []))


def row(method, who, permission=None):
    """The row of the table that says so."""
    cells = [f"`{permission}`" if permission and name == "STAFF" else YES if name in who else NO for name in (NOBODY, *ROLES)]
    services = sorted(who & contract.SUBJECTS)
    cells.append("all" if SERVICE in who else ", ".join(f"`{name}`" for name in services) or NO)
    return f"| `{method}` | {' | '.join(cells)} |"
