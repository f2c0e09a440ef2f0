"""The laws under random schedules: the share of them that each run of the tests tries; `make prove` tries more."""

from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.schedule import Ground, Schedule
from tests.property.wire import wired
from tests.stage import Crm

SCHEDULES: Final = 40


def test_no_schedule_breaks_a_law(tmp_path: Path, database: str) -> None:
    ground = Ground(database, Crm(tmp_path / "crm.sqlite").path)
    with wired(ground.wires):
        run_state_machine_as_test(
            lambda: Schedule(ground),
            settings=settings(
                max_examples=SCHEDULES,
                stateful_step_count=20,
                derandomize=True,
                deadline=None,
                phases=[Phase.generate],  # a pass is too slow to shrink by; `make prove` does
                suppress_health_check=list(HealthCheck),
            ),
        )
    ground.close()
    assert ground.tally["schedules"] >= SCHEDULES
    assert ground.tally["pass: good"] > ground.tally["pass: failed"], "most of what is tried has to get far"
