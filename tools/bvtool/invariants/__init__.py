"""What must hold of the databases, whatever happened: nothing oversold, lost or doubled."""

from . import events, orders, payments, sales, stock
from .invariant import Invariant

ALL = (*stock.ALL, *orders.ALL, *sales.ALL, *payments.ALL, *events.ALL)
GROUPS = ("stock", "orders", "payments", "events")

__all__ = ["ALL", "GROUPS", "Invariant"]
