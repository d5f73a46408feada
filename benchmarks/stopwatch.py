"""Times steps and statements by wrapping them: wall clock, and the processor time of this thread within it."""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestrator.kernel.unit import Driver

BETWEEN = "between the steps"


@dataclass
class Time:
    """What adds up over many calls."""

    wall: float = 0.0
    cpu: float = 0.0
    calls: int = 0
    statements: int = 0


@dataclass
class Stopwatch:
    """The times of one run."""

    steps: dict[str, Time] = field(default_factory=dict)
    statements: dict[str, Time] = field(default_factory=dict)
    batches: int = 0
    _step: Time | None = None

    def reset(self) -> None:
        self.steps.clear()
        self.statements.clear()
        self.batches = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; a step within a step belongs to the outer one."""
        if self._step is not None:
            yield
            return
        self._step = self.steps.setdefault(name, Time())
        with _timed(self._step):
            yield
        self._step = None

    @contextmanager
    def statement(self, name: str) -> Iterator[None]:
        """Time a statement, and count it for the step that it is part of."""
        if self._step is not None:
            self._step.statements += 1
        with _timed(self.statements.setdefault(name, Time())):
            yield

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Time what happens inside but in none of the steps."""
        whole, steps = Time(), list(self.steps.values())
        before = sum(one.wall for one in steps), sum(one.cpu for one in steps)
        with _timed(whole):
            yield
        steps = list(self.steps.values())
        rest = self.steps.setdefault(BETWEEN, Time())
        rest.wall += whole.wall - sum(one.wall for one in steps) + before[0]
        rest.cpu += whole.cpu - sum(one.cpu for one in steps) + before[1]

    @contextmanager
    def on(self, functions: Sequence[tuple[Any, str]]) -> Iterator[None]:
        """Time these coroutine functions, each named by its owner (a module or class) and its name there."""
        with ExitStack() as stack:
            for owner, name in functions:
                original = getattr(owner, name)
                setattr(owner, name, self._wrapped(f"{owner.__name__.rpartition('.')[2]}.{name}", original))
                stack.callback(setattr, owner, name, original)
            yield

    def _wrapped(self, name: str, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*args: Any, **kwargs: Any) -> Any:
            with self.step(name):
                return await original(*args, **kwargs)

        return timed

    def table(self, size: int) -> str:
        """The steps, in order, per batch and per message."""
        whole = Time(
            sum(step.wall for step in self.steps.values()),
            sum(step.cpu for step in self.steps.values()),
            statements=sum(step.statements for step in self.steps.values()),
        )
        lines = [f"{'step':<34}{'statements':>11}{'ms/batch':>10}{'CPU':>8}{'waiting':>9}{'µs/message':>12}"]
        for name, step in [*self.steps.items(), ("whole", whole)]:
            wall, cpu = step.wall / self.batches, step.cpu / self.batches
            lines.append(
                f"{name:<34}{step.statements / self.batches:>11.1f}{wall * 1e3:>10.2f}{cpu * 1e3:>8.2f}"
                f"{(wall - cpu) * 1e3:>9.2f}{wall / size * 1e6:>12.1f}"
            )
        messages = self.batches * size
        return "\n".join([*lines, f"{messages:,} messages, {messages / whole.wall:,.0f}/s by one writer without HTTP"])

    def statement_table(self, size: int) -> str:
        """The statements, in order."""
        lines = [f"{'statement':<45}{'ms':>8}{'CPU':>8}{'waiting':>9}{'µs/message':>12}"]
        for name, one in self.statements.items():
            wall, cpu = one.wall / one.calls, one.cpu / one.calls
            lines.append(
                f"{name:<45}{wall * 1e3:>8.2f}{cpu * 1e3:>8.2f}{(wall - cpu) * 1e3:>9.2f}"
                f"{one.wall / self.batches / size * 1e6:>12.1f}"
            )
        return "\n".join(lines)


@contextmanager
def _timed(into: Time) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.thread_time()
    yield
    into.wall += time.perf_counter() - wall
    into.cpu += time.thread_time() - cpu
    into.calls += 1


class TimedDriver:
    """The driver's connection, timed; statements are named by the functions that issue them."""

    def __init__(self, driver: Driver, stopwatch: Stopwatch) -> None:
        self._driver = driver
        self._stopwatch = stopwatch

    async def fetch(self, query: str, *args: Any) -> Any:
        return await self._run(_caller(), self._driver.fetch, query, args)

    async def fetchrow(self, query: str, *args: Any) -> Any:
        return await self._run(_caller(), self._driver.fetchrow, query, args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        return await self._run(_caller(), self._driver.fetchval, query, args)

    async def execute(self, query: str, *args: Any) -> str:
        status: str = await self._run(_caller(), self._driver.execute, query, args)
        return status

    async def _run(self, name: str, run: Callable[..., Awaitable[Any]], query: str, args: tuple[Any, ...]) -> Any:
        with self._stopwatch.statement(name):
            return await run(query, *args)


def _caller() -> str:
    """The function that awaits the driver."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    if frame is None:
        return "?"
    return f"{frame.f_globals['__name__'].removeprefix('orchestrator.')}.{frame.f_code.co_name}"
