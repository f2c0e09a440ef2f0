"""What many ask of one connection: who asks while it is busy is served together, and everybody gets their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest

from syncd.errors import StateUnavailable
from syncd.state.database import Connection
from syncd.state.gathering import Gathering


class Counter:
    """One counter, whom one task at a time stands at, and whose answer is twice what is asked."""

    def __init__(self) -> None:
        self.free = asyncio.Lock()
        self.served: list[tuple[str, list[int]]] = []
        self.closed = False
        self.busy = asyncio.Event()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        async with self.free:
            yield cast("Connection", None)

    async def serve(self, connection: Connection, key: str, asked: Sequence[int]) -> Sequence[int]:
        self.served.append((key, list(asked)))
        self.busy.set()
        await asyncio.sleep(0)
        if self.closed:
            raise StateUnavailable("closed")
        return [2 * each for each in asked]


async def asking(gathering: Gathering[str, int, int], key: str, *wishes: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathering.ask(key, wish)) for wish in wishes]
    await asyncio.sleep(0)
    return tasks


async def test_who_asks_while_nobody_is_served_is_served_at_once_and_alone() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    assert [await gathering.ask("adds", each) for each in (1, 2)] == [2, 4]
    assert counter.served == [("adds", [1]), ("adds", [2])]


async def test_who_asks_while_the_connection_is_busy_is_served_together_and_gets_their_own() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    async with counter.free:
        tasks = await asking(gathering, "adds", 1, 2, 3)
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert counter.served == [("adds", [1, 2, 3])]


async def test_who_comes_while_others_are_being_served_waits_for_the_next_turn() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    async with counter.free:
        first = await asking(gathering, "adds", 1, 2)
    await counter.busy.wait()
    assert await asyncio.gather(*first, *await asking(gathering, "adds", 3)) == [2, 4, 6]
    assert counter.served == [("adds", [1, 2]), ("adds", [3])]


async def test_what_has_different_keys_is_served_apart() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    async with counter.free:
        tasks = await asking(gathering, "adds", 1, 2) + await asking(gathering, "removals", 3)
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert counter.served == [("adds", [1, 2]), ("removals", [3])]


async def test_each_of_those_who_were_to_be_served_together_is_told_why_they_were_not_and_may_ask_again() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    counter.closed = True
    async with counter.free:
        tasks = await asking(gathering, "adds", 1, 2, 3)
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(error) for error in told] == ["state database: closed"] * 3
    counter.closed = False
    assert await gathering.ask("adds", 4) == 8


@pytest.mark.parametrize("begun", [False, True])
async def test_where_the_task_that_writes_for_the_others_is_cancelled_they_are_told_that_nothing_was_written(
    begun: bool,
) -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    async with counter.free:
        leader, other = await asking(gathering, "adds", 1, 2)
        if not begun:
            leader.cancel()
            await asyncio.wait([leader])
    if begun:
        await counter.busy.wait()
    leader.cancel()
    with pytest.raises(StateUnavailable, match="cancelled"):
        await other
    assert leader.cancelled() or await asyncio.wait([leader])
    assert await gathering.ask("adds", 3) == 6


async def test_one_of_the_others_may_be_cancelled_and_the_rest_are_served() -> None:
    counter = Counter()
    gathering = Gathering(counter.alone, counter.serve)
    async with counter.free:
        first, second, third = await asking(gathering, "adds", 1, 2, 3)
        second.cancel()
    assert [await first, await third] == [2, 6]
    assert second.cancelled()
