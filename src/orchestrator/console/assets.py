"""Style, scripts and htmx: small, held in memory, and named for their content so that browsers keep them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file for browsers."""

    address: str
    """Its path, with the digest of its content."""
    content: bytes
    media_type: str


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"/console/static/{version}/{file.name}", content, _TYPES[file.suffix])


_BY_NAME = {file.name: _read(file) for file in sorted(_FOLDER.iterdir()) if file.suffix in _TYPES}
_BY_ADDRESS = {asset.address: asset for asset in _BY_NAME.values()}


def address_of(name: str) -> str:
    """Where a file of the folder `static` is found."""
    return _BY_NAME[name].address


def at(address: str) -> Asset | None:
    """The file at a path, if it is the one of this version."""
    return _BY_ADDRESS.get(address)
