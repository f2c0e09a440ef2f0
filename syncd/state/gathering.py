"""What many tasks ask of one connection, gathered: who asks while it is busy is served together, in one go.

A tenant that answers at once keeps a pass busy with its own claims and records. Each of them alone would wait for the
disk and for the server once; gathered, as many as there are workers wait once. Nobody waits for others to come: who
asks an idle connection is served at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

from syncd.errors import StateUnavailable
from syncd.state.database import Connection

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


class _Group(Generic[T, R]):
    """Those who are served together."""

    def __init__(self) -> None:
        self.asked: list[T] = []
        self.served: asyncio.Future[Sequence[R]] = asyncio.get_running_loop().create_future()


class Gathering(Generic[K, T, R]):
    """One thing that can be asked for, by many at once; what has one ``key`` is done together."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Connection]],
        serve: Callable[[Connection, K, Sequence[T]], Awaitable[Sequence[R]]],
    ) -> None:
        """``alone`` gives the connection to one task at a time; ``serve`` returns a result for each, in their order."""
        self._alone, self._serve = alone, serve
        self._open: dict[K, _Group[T, R]] = {}

    async def ask(self, key: K, wish: T) -> R:
        """Have a wish served, with all others of its key that wait as well; return its result.

        Raise what serving raised, for each of them.
        """
        group = self._open.get(key)
        if group is not None:
            group.asked.append(wish)
            place = len(group.asked) - 1
            return (await asyncio.shield(group.served))[place]
        group = self._open[key] = _Group()
        group.asked.append(wish)
        return (await self._lead(key, group))[0]

    async def _lead(self, key: K, group: _Group[T, R]) -> Sequence[R]:
        """Wait for the connection on behalf of all who join until it is free, and serve them."""
        try:
            async with self._alone() as connection:
                del self._open[key]
                results = await self._serve(connection, key, group.asked)
        except BaseException as error:
            if self._open.get(key) is group:
                del self._open[key]
            given_up = error if isinstance(error, Exception) else StateUnavailable("the task that wrote was cancelled")
            group.served.set_exception(given_up)
            group.served.exception()  # looked at, where nobody had joined
            raise
        group.served.set_result(results)
        return results
