"""How long a customer who is suppressed in the middle of a long pass stays in a large campaign."""

import subprocess
import time
from collections.abc import Iterator

from tests.bench.scene import Bench, Scene, until
from tests.bench.table import Line

EVERY = 10.0
"""Seconds of the campaign's interval."""

LONGEST = 900.0
"""Seconds that anything is waited for."""

CHANGED = "SELECT EXISTS (SELECT FROM change WHERE customer = %s AND kind = %s)"
OUT = "SELECT EXISTS (SELECT FROM suppressed_record WHERE customer = %s AND removed_at IS NOT NULL)"


def run(bench: Bench) -> Iterator[Line]:
    """Suppress one customer during a first fill, one during a listing, and one during a long removal."""
    customers = bench.customers
    with bench.scene("suppression", known=customers) as scene:
        scene.want(1, customers)
        filling = scene.start_pass(every=EVERY)
        until(lambda: scene.ask_state(CHANGED, 1, "add"), within=LONGEST)
        yield _line(f"a first fill of {customers:,}", _delay(scene, 1, filling))
    scene = bench.filled().scene
    listing = scene.start_pass(every=EVERY)
    asked = scene.steer("state")["requests"]
    until(lambda: scene.steer("state")["requests"] > asked + 100, within=LONGEST)
    yield _line(f"a listing of {customers:,}", _delay(scene, 2, listing))
    scene.drop(customers // 2, customers)
    removing = scene.start_pass(every=EVERY)
    until(lambda: scene.ask_state(CHANGED, customers // 2, "remove"), within=LONGEST)
    yield _line(f"a removal of {customers - customers // 2 + 1:,}", _delay(scene, 3, removing))


def _delay(scene: Scene, customer: int, running: "subprocess.Popen[str]") -> float:
    """Suppress a customer; return the seconds until the record is out. The pass is ended, which it is not used to."""
    scene.write("INSERT INTO do_not_call VALUES (%s)", customer)
    began = time.monotonic()
    until(lambda: running.poll() is not None or scene.ask_state(OUT, customer), within=LONGEST)
    took, ended = time.monotonic() - began, running.poll() is not None
    running.terminate()
    running.communicate()
    if ended:
        raise SystemExit("the pass ended before anybody could be suppressed in its middle: take more customers")
    return took


def _line(during: str, delay: float) -> Line:
    return Line(
        f"from suppressed in the source to out of the campaign, during {during}",
        f"{delay:.1f} s",
        f"an interval of {EVERY:.0f} s",
        goal=f"<= {EVERY + 5:.0f} s",
    )
