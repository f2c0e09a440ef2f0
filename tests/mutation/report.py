"""What is told of a target's mutants: who lives, and the sums."""

import sys
from collections import Counter
from pathlib import Path

from tests.mutation.edits import Mutant
from tests.mutation.targets import target_of
from tests.mutation.trial import Fate, try_all

SURVIVORS = Path(__file__).with_name("SURVIVORS.md")


def report(name: str, server: str, every: int, jobs: int) -> None:
    """Try the mutants of a target or file, or each so-manieth, and print who lives.

    Raise SystemExit, with 1 if a survivor is not listed.
    """
    known = SURVIVORS.read_text()
    fates: Counter[str] = Counter()

    def tell(mutant: Mutant, fate: Fate) -> None:
        listed = fate is Fate.SURVIVED and mutant.told in known
        fates["survived and listed" if listed else fate] += 1
        if fate is not Fate.KILLED and not listed:
            print(f"\n{mutant.place}: {fate}\n{mutant.told}", flush=True)

    target = target_of(name)
    try_all(list(target.mutants())[::every], target.tests, server, jobs, tell)
    print(f"\n{name}: {', '.join(f'{count} {fate}' for fate, count in sorted(fates.items()))}", flush=True)
    sys.exit(bool(fates[Fate.SURVIVED]))
