"""A data folder that goes away again, with the embedded Postgres' places wherever they had to be."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.kernel.postgres_home import home_of, socket_folder


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """A fresh folder; afterwards nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix=f"orchestrator-{purpose}-"))
    try:
        yield folder
    finally:
        # Postgres may have had to live elsewhere, and its socket in yet another place.
        home = home_of(folder)
        for place in (socket_folder(home), home, folder):
            shutil.rmtree(place, ignore_errors=True)
