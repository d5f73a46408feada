"""Where an API process spends its time under load, as py-spy sees it."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchmarks import pipeline_steps, servers
from benchmarks.servers import Api
from benchmarks.world import World

_SECONDS = 5
_SHOWN = 25


def profile(world: World, api: Api, folder: Path, *, connections: int) -> str:
    """Sample a process under load; without py-spy, time the steps of the pipeline in this process instead."""
    program = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        return f"py-spy is not installed (pip install py-spy); instead:\n{pipeline_steps.report(world)}"
    output = folder / "samples"
    command = [program, "record", "--pid", str(api.process.pid), "--duration", str(_SECONDS), "--rate", "200"]
    command += ["--format", "raw", "--output", str(output), "--nonblocking", "--gil"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as recorder:
        servers.measure(world, [api], folder, seconds=_SECONDS, connections=connections)
        _, complaint = recorder.communicate()
    if recorder.returncode != 0 or not output.exists():
        return f"py-spy failed: {complaint.strip()[-500:]}\n{pipeline_steps.report(world)}"
    return _summary(output.read_text())


def _summary(samples: str) -> str:
    """Samples come one stack per line, outermost frame first: `run (uvloop/__init__.py:96);…;fetch (…) 12`."""
    own: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    total = 0
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_frame(frame) for frame in stack.split(";")]
        total += int(count)
        own[frames[-1][0]] += int(count)
        for frame in {f"{function} ({file})" for _, function, file in frames}:
            inclusive[frame] += int(count)
    lines = [f"{total} samples of a busy API process", "", "by package, where the processor is:"]
    lines += [f"{count / total:>7.1%}  {package}" for package, count in own.most_common(12)]
    lines += ["", "by function, with what it calls:"]
    lines += [f"{count / total:>7.1%}  {function}" for function, count in inclusive.most_common(_SHOWN)]
    return "\n".join(lines)


def _frame(frame: str) -> tuple[str, str, str]:
    """Package, function, file."""
    function, _, place = frame.partition(" (")
    file = place.rstrip(")").rpartition(":")[0]
    return file.partition("/")[0], function, file
