"""What an invariant is: a sentence that must hold of the rows, and the SQL that finds where it does not."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Invariant:
    """`violations` selects tenant_id, subject (what is wrong: a SKU, an order) and text (how, as a sentence). It may use the variable
    `:'grace'`, an interval: how long something that is under way may take before it counts as wrong."""

    name: str
    group: str  # stock, orders, payments or events
    holds: str  # the sentence
    table: str  # whose rows it speaks of; they have a tenant_id and are counted
    violations: str
    means: str  # what a violation probably means
    needs: typing.Tuple[str, ...] = ()  # further tables; where one is missing, the invariant is skipped

    @property
    def tables(self):
        return (self.table, *self.needs)


def difference(actual, expected):
    """SQL: by how much, with its sign."""
    return f"to_char({actual} - {expected}, 'FMSG999999999999999990')"
