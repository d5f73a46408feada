"""How many provider messages per second the service takes, beside what Postgres itself can do on this machine.

    python -m benchmarks.ingest [--seconds 5] [--rounds 3] [--connections 64] [--processes 1,2] [--json] [--profile]

One embedded Postgres of its own (fsync on), filled with open conversations. The rounds are interleaved: pgbench, then
the service with each number of API processes. Everything of the service is on: signatures, capture rules, profile
recognition, events and deliveries; the worker that would send these is off (`--worker`). The program fails when a
message was not answered 200 or the rows in the database are not those of the messages answered. See
`benchmarks.pipeline_steps` for where the time goes.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import ceiling, sampling, servers
from benchmarks.load import generator
from benchmarks.report import CEILING, Report
from benchmarks.servers import Api
from benchmarks.usage import Usage
from benchmarks.world import World, new_world

_WARM_UP = 2  # seconds


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that servers and files go
    arguments = _arguments()
    ceiling.pgbench()
    settings = {**vars(arguments), "generator": generator()}
    report = Report(settings)
    _say(f"starting Postgres and opening {arguments.conversations:,} conversations")
    with (
        new_world(conversations=arguments.conversations, callbacks=arguments.callbacks) as world,
        tempfile.TemporaryDirectory(prefix="orchestrator-load-") as name,
        servers.running(world, Path(name), max(arguments.processes), worker=arguments.worker) as apis,
    ):
        folder = Path(name)
        variants = _variants(world, apis, folder, arguments)
        for variant, measure in variants.items():
            _say(f"warming up: {variant}")
            measure(_WARM_UP)
        for number in range(arguments.rounds):
            for variant, measure in variants.items():
                _measure(world, report, variant, partial(measure, arguments.seconds))
                _say(f"round {number + 1}: {variant}: {report.usages[variant][-1].rate:,.0f} messages/s")
        report.hot_updates = world.hot_updates()
        print(report.json() if arguments.json else report.text())
        if arguments.profile:
            print(sampling.profile(world, apis[0], folder, connections=arguments.connections))


def _measure(world: World, report: Report, variant: str, run: Callable[[], Usage]) -> None:
    world.checkpoint()
    before, since = world.rows(), world.time()
    usage = run()
    after = world.rows()
    report.add(variant, usage, {table: after[table] - before[table] for table in after})
    report.sizes[variant] = world.row_sizes(since)


def _variants(
    world: World, apis: list[Api], folder: Path, arguments: argparse.Namespace
) -> dict[str, Callable[[int], Usage]]:
    def service(processes: int) -> Callable[[int], Usage]:
        return lambda seconds: servers.measure(
            world, apis[:processes], folder, seconds=seconds, connections=arguments.connections
        )

    variants: dict[str, Callable[[int], Usage]] = {CEILING: lambda seconds: ceiling.measure(world, folder, seconds)}
    for processes in arguments.processes:
        variants[f"{processes} API process{'es' if processes > 1 else ''}"] = service(processes)
    return variants


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--seconds", type=int, default=5, help="of each measurement (%(default)s)")
    add("--rounds", type=int, default=3, help="measurements of each variant (%(default)s)")
    add("--connections", type=int, default=64, help="each has one message in flight (%(default)s)")
    add("--processes", type=_numbers, default=[1, 2], help="API processes of the variants (1,2)")
    add("--conversations", type=int, default=50_000, help="that are open (%(default)s)")
    add("--callbacks", type=int, choices=(0, 1, 2), default=1, help="status callbacks per event (%(default)s)")
    add("--worker", action="store_true", help="run the loops too; callbacks then fail, because nobody listens")
    add("--json", action="store_true", help="print JSON, with every measurement, instead of tables")
    add("--profile", action="store_true", help="then sample an API process with py-spy, or time the pipeline's steps")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
