"""What the comparison is tried on is what it is said to be."""

from dataclasses import asdict, fields
from itertools import combinations, product

from tests.integration.plan.oracle import Settings
from tests.integration.plan.worlds import IMPOSSIBLE, SETTINGS, ledger_rows


def test_the_settings_tried_have_every_pair_of_values_that_a_configuration_may_have() -> None:
    tried = [asdict(settings) for settings in SETTINGS]
    for one, two in combinations([field.name for field in fields(Settings)], 2):
        pairs = set(product({s[one] for s in tried}, {s[two] for s in tried}))
        missing = pairs - {(s[one], s[two]) for s in tried}
        assert missing <= {("add-only", "all")}, f"{one} x {two}"


def test_nothing_that_is_called_impossible_is_tried_and_all_that_is_left_is_tried() -> None:
    rows = list(ledger_rows())
    assert not [name for name, cannot_be in IMPOSSIBLE.items() if any(map(cannot_be, rows))]
    # No row; and for each word of the ledger those that can ring or are busy, the completed, the reopened.
    assert len(rows) == len(set(rows)) == 1 + 4 * (4 * 16 + 3 * 16 + 3 * 4)
