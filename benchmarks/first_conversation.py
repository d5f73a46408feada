"""Seconds from an empty folder, everything being installed, to the first conversation and the reasons for it.

What somebody does who follows what the first start prints: serve, paste the configuration, send a message.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

_COMMAND = [sys.executable, "-m", "orchestrator"]
_AT_MOST = 5.0
"""Seconds; what was promised."""


@contextmanager
def first_start(folder: Path) -> Iterator[str]:
    """A service in an empty folder, on a free port; what it prints."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    command = [*_COMMAND, "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=others, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield "".join(_until_next(process))
        finally:
            process.terminate()


def _until_next(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if line.startswith("Next:"):
            return


def once() -> dict[str, float]:
    """Seconds of each step, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), perf_counter()
        with first_start(folder) as printed:
            serves = perf_counter()
            _paste(r"(?ms)^(curl .*?)\n\n", printed, folder)
            configured = perf_counter()
            told = _paste(r"(?m)^(\S.* send sms .*)$", printed, folder)
            explained = perf_counter()
    assert "Captured by rule 1 of SMS" in told, told
    return {
        "serves": serves - began,
        "configured": configured - serves,
        "explained": explained - configured,
        "in all": explained - began,
    }


def _paste(pattern: str, printed: str, folder: Path) -> str:
    """Do what was printed, in a shell in the folder."""
    found = re.search(pattern, printed)
    assert found, printed
    return subprocess.run(["sh", "-c", found[1]], cwd=folder, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Print the median of each step, and the slowest time of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = [once() for _ in range(parser.parse_args().runs)]
    for step in runs[0]:
        print(f"{step:12} {median(run[step] for run in runs):6.2f} s")
    slowest = max(run["in all"] for run in runs)
    print(f"slowest      {slowest:6.2f} s of {len(runs)} (at most {_AT_MOST} s)")
    if slowest > _AT_MOST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
