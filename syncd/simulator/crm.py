"""The tenant's own CRM: which customers exist, and what is wrong with their numbers."""

from collections.abc import Iterable
from enum import StrEnum


class Mark(StrEnum):
    """What is special about a customer."""

    DO_NOT_CALL = "do-not-call"
    """On the vendor's own do-not-call list."""
    NO_PHONE = "no-phone"
    INVALID_PHONE = "invalid-phone"


class Crm:
    """A set of customers; ranges of them cost no memory."""

    def __init__(self) -> None:
        self._ranges: list[range] = []
        self._single: set[int] = set()
        self._removed: set[int] = set()
        self._marks: dict[int, Mark] = {}
        self._phones: dict[int, str] = {}

    def add(self, customers: Iterable[int]) -> None:
        """Make these customers known."""
        if isinstance(customers, range):
            self._ranges.append(customers)
            self._removed = {customer for customer in self._removed if customer not in customers}
            return
        for customer in customers:
            self._single.add(customer)
            self._removed.discard(customer)

    def remove(self, customers: Iterable[int]) -> None:
        """Forget these customers; their records stay in the campaigns."""
        self._removed.update(customers)

    def mark(self, mark: Mark | None, customers: Iterable[int]) -> None:
        """Mark these customers, or take their mark away."""
        for customer in customers:
            if mark is None:
                self._marks.pop(customer, None)
            else:
                self._marks[customer] = mark

    def set_phone(self, customer: int, number: str) -> None:
        """Give a customer this number, in place of the one made from the id."""
        self._phones[customer] = number

    def marked(self, customer: int) -> Mark | None:
        """Return what is special about a customer."""
        return self._marks.get(customer)

    def phone(self, customer: int) -> str:
        """Return a customer's number, digits only; empty where there is none."""
        if self._marks.get(customer) is Mark.NO_PHONE:
            return ""
        return self._phones.get(customer) or f"555{customer % 10_000_000:07}"

    def __contains__(self, customer: int) -> bool:
        if customer in self._removed:
            return False
        return customer in self._single or any(customer in known for known in self._ranges)
