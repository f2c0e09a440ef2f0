"""Removals: against a bare client where the tenant answers at once, against the wire where it is far away."""

from collections.abc import Iterator

from tests.bench.bare import SIDE_BY_SIDE
from tests.bench.scene import Bench, Scene
from tests.bench.table import Line, seconds

NEAR, FAR, PACED = 20_000, 4_000, 2_000
LATENCY = 0.05
RATE = 100.0


def run(bench: Bench) -> Iterator[Line]:
    """Remove some thousands of customers at no latency, at 50 ms, and within a configured rate."""
    with bench.scene("removals", known=2 * NEAR) as scene:
        removed = _removed(scene, NEAR)
        scene.steer("records", campaign=125, customers=f"{NEAR + 1}-{2 * NEAR}")
        bare = scene.bare("delete", NEAR + 1, 2 * NEAR)
        yield Line(
            f"{NEAR:,} removals at 0 ms",
            f"{seconds(removed)}, {NEAR / removed:,.0f} a second",
            f"a bare client {seconds(bare.seconds)}",
            removed / bare.seconds,
            "<= 1.5",
        )
        removed = _removed(scene, FAR, latency=LATENCY)
        allowed = FAR * LATENCY / SIDE_BY_SIDE
        yield Line(
            f"{FAR:,} removals at 50 ms, {SIDE_BY_SIDE} side by side",
            f"{seconds(removed)}, {FAR / removed:,.0f} a second",
            f"what concurrency allows {seconds(allowed)}",
            allowed / removed,
            ">= 0.9",
        )
        removed = _removed(scene, PACED, requests_per_second=RATE)
        yield Line(
            f"{PACED:,} removals at a configured {RATE:.0f} a second",
            f"{PACED / removed:.1f} a second",
            f"{RATE:.0f} a second",
            PACED / removed / RATE,
            ">= 0.98",
        )


def _removed(scene: Scene, customers: int, *, latency: float = 0.0, **settings: object) -> float:
    """Return the seconds in which so many customers, who are in the campaign, are removed from it."""
    scene.want(1, customers)
    scene.run_pass()
    scene.run_pass()
    scene.drop(1, customers)
    scene.steer("manner", latency=latency)
    ran = scene.run_pass(**settings)
    scene.steer("manner", latency=0.0)
    expect(ran.sentence, f"{customers:,} removed")
    return ran.steps["apply"]


def expect(sentence: str, words: str) -> None:
    """Raise SystemExit unless a pass did what was to be measured."""
    if words not in sentence:
        raise SystemExit(f"the pass was to have {words}: {sentence}")
