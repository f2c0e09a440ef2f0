"""What is mutated, and which tests are to notice it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.mutation import python
from tests.mutation.edits import Mutant

TABLE = "tests/integration/plan/test_decision_table.py"


@dataclass(frozen=True, slots=True)
class Target:
    """Files, and the tests that are to notice a mistake in them, the quickest first."""

    paths: tuple[str, ...]
    tests: tuple[str, ...]

    def mutants(self) -> Iterator[Mutant]:
        """Yield each mutant once, and none that is the file as it is."""
        for path in self.paths:
            text = Path(path).read_text()
            mutants = (Mutant(path, text, edit) for edit in python.edits(text))
            yield from {mutant.text: mutant for mutant in mutants if mutant.text != text}.values()


TARGETS = {
    "guard": Target(("syncd/guard.py",), ("tests/unit/guard",)),
    "verdicts": Target(
        ("syncd/dialer/verdicts.py",),
        ("tests/unit/dialer/test_dialer_verdicts.py", "tests/unit/dialer/test_dialer_wire.py"),
    ),
    "outcomes": Target(("syncd/state/outcomes.py",), ("tests/unit/state/test_outcomes.py",)),
    "plan": Target(
        ("syncd/plan.py",),
        (
            f"{TABLE}::test_the_plan_keeps_every_change_and_of_who_is_left_alone_only_what_is_counted_or_remembered",
            "tests/integration/plan/test_counts.py",
            "tests/integration/plan/test_rules.py",
            "tests/integration/plan/test_lines.py",
            TABLE,
        ),
    ),
    "guarding": Target(
        ("syncd/sync/guarding.py",), ("tests/integration/guard/test_held.py", "tests/integration/guard")
    ),
    "report": Target(("syncd/sync/report.py",), ("tests/unit/sync",)),
    "sync": Target(
        tuple(str(path) for path in sorted(Path("syncd/sync").glob("*.py")) if path.stem not in ("guarding", "report")),
        (
            "tests/unit/sync/test_what_passes_are_handed.py",
            "tests/integration/sync",
            "tests/integration/guard",
            "tests/integration/cli/test_explain.py",
        ),
    ),
}


def target_of(name: str) -> Target:
    """Return a target by its name, or of one the file that has this path. Raise KeyError if there is neither."""
    if name in TARGETS:
        return TARGETS[name]
    files = {path: target for target in TARGETS.values() for path in target.paths}
    return replace(files[name], paths=(name,))
