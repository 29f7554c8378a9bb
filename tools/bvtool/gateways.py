"""The simulated payment gateways' own books, and whether ours agree with them."""

import json
import typing

from . import web
from .console import Failure
from .invariants.invariant import Invariant
from .invariants.payments import PAYMENTS
from .layout import HOST, PAYMENT_REST

GATEWAYS = ("SOAP", "REST")

AGREE = Invariant(
    "gateway-ledgers", "payments", "what the gateways took and gave back is what the payments say, to the cent", PAYMENTS, "",
    "Money was taken that nobody knows of, or was not taken though it seems so.")

# Of each payment that a gateway is asked for.
QUERY = f"""\
SELECT jsonb_build_object('tenant', tenant_id, 'order', order_id, 'payment', payment_id, 'amount', amount, 'currency', currency,
                          'status', status, 'gateway', gateway)
FROM {PAYMENTS} WHERE method = 'CARD' AND :'tenant' IN ('', tenant_id);
"""
# States in which the gateway may have the money.
WITH_MONEY = ("PROCESSING", "SUCCEEDED", "REFUNDING")


class Account(typing.NamedTuple):
    """What one gateway took for one order, in minor units."""

    currency: str
    charged: int = 0
    refunded: int = 0


def read(stack):
    """{(gateway, tenant, order): Account} of both ledgers; None where no simulator answers."""
    accounts = {}
    for gateway in GATEWAYS:
        after = 0
        while after is not None:
            url = f"http://{HOST}:{stack.port(PAYMENT_REST)}/ledger?gateway={gateway}&after={after}"
            page = web.page(url, timeout=20)
            if page is None:
                if after:
                    raise Failure(f"{url} does not answer any more; check again.")
                return None
            answer = json.loads(page)
            for entry in answer["entries"]:
                _enter(accounts, gateway, entry)
            after = answer["next"] or None
    return accounts


def _enter(accounts, gateway, entry):
    tenant, _, order = entry["orderId"].rpartition(":")
    key = (gateway, tenant, order)
    account = accounts.get(key) or Account(entry["currency"])
    # As many digits behind the point as the currency has.
    minor_units = int(entry["amount"].replace(".", ""))
    if entry["kind"] == "CHARGE":
        accounts[key] = account._replace(charged=account.charged + minor_units)
    else:
        accounts[key] = account._replace(refunded=account.refunded + minor_units)


def compare(before, payments, after, tenant=""):
    """Violations. The ledgers were read before the payments and after them, so that what happened meanwhile is no fault."""
    by_order = {}
    for payment in payments:
        by_order.setdefault((payment["tenant"], payment["order"]), []).append(payment)
    found = []
    for (gateway, owner, order), account in before.items():
        if tenant in ("", owner):
            found += _unknown(gateway, owner, order, account, after, by_order.get((owner, order), []))
    for payment in payments:
        found += _untrue(payment, before, after)
    return found


def _unknown(gateway, tenant, order, account, after, payments):
    now = after.get((gateway, tenant, order), account)
    held = now.charged - now.refunded
    if account.charged > account.refunded and held > 0 and not any(
            payment["status"] in WITH_MONEY and payment["gateway"] in ("", gateway) for payment in payments):
        yield _violation(tenant, order, f"{gateway} has taken {held} {account.currency} (minor units) for order {order}, and "
                         + (", ".join(f"payment {payment['payment']} is {payment['status']}" for payment in payments)
                            or "there is no payment of it"))
    if account.refunded > account.charged:
        yield _violation(tenant, order, f"{gateway} has given back {account.refunded} {account.currency} (minor units) of "
                         f"{account.charged} for order {order}")


def _untrue(payment, before, after):
    key = (payment["gateway"], payment["tenant"], payment["order"])
    now = after.get(key, Account(payment["currency"]))
    told = f"payment {payment['payment']} of {payment['amount']} {payment['currency']} (minor units) is {payment['status']}"
    said = f"{payment['gateway'] or 'no gateway'} has taken {now.charged} {now.currency} for order {payment['order']} and given back"
    if payment["status"] in ("SUCCEEDED", "REFUNDED") and (now.charged, now.currency) != (payment["amount"], payment["currency"]):
        yield _violation(payment["tenant"], payment["payment"], f"{told}, but {said} {now.refunded}")
    elif payment["status"] == "SUCCEEDED" and key in before and before[key].refunded:
        yield _violation(payment["tenant"], payment["payment"], f"{told}, but {said} {before[key].refunded}")
    elif payment["status"] == "REFUNDED" and now.refunded != payment["amount"]:
        yield _violation(payment["tenant"], payment["payment"], f"{told}, but {said} {now.refunded}")


def _violation(tenant, subject, text):
    return {"tenant": tenant, "subject": subject, "text": text}
