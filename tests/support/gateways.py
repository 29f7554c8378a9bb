"""The simulated payment gateways: told what to do, by their control endpoint."""

import json
import urllib.request

from support import stack

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def tell(**instruction):
    """Both gateways, in place of what they were told before: `declineAmounts="13.13"`."""
    for gateway in ("SOAP", "REST"):
        _control("POST", {"gateway": gateway, **instruction})


def behave():
    """Takes back all that was told."""
    _control("DELETE")


def charges(tenant, order_id):
    """How often the gateways took money for an order, by their own books."""
    return sum(entry["kind"] == "CHARGE" and entry["orderId"] == f"{tenant}:{order_id}"
               for gateway in ("SOAP", "REST") for entry in _ledger(gateway))


def _ledger(gateway):
    after = 0
    while after is not None:
        with _DIRECT.open(f"{stack.env('BV_PAYMENT_REST_URL')}ledger?gateway={gateway}&after={after}", timeout=10) as answer:
            page = json.load(answer)
        yield from page["entries"]
        after = page["next"] or None


def _control(method, body=None):
    request = urllib.request.Request(f"{stack.env('BV_PAYMENT_REST_URL')}control", method=method,
                                     data=None if body is None else json.dumps(body).encode())
    with _DIRECT.open(request, timeout=10) as answer:
        answer.read()
