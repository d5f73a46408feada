"""The page at `/docs`: Swagger UI over the published description. Nothing of it comes from another host."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).with_name("static")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI has its icons in `data:` URLs; everything else comes from files of this service."""

# Paths are relative: a proxy in front may have put the service below a path of its own.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/swagger-ui/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="{assets}/swagger-ui/swagger-ui-bundle.js"></script>
<script src="{assets}/reference.js"></script>
</body>
</html>
"""


class _Assets(StaticFiles):
    """Files that browsers keep: their path names their content."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def serve_reference(app: FastAPI) -> None:
    """Serve the page and its files below it."""
    page = _PAGE.format(title=app.title, assets=f"docs/{fingerprint()}")

    async def reference(_: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})

    app.add_route("/docs", reference, include_in_schema=False)
    app.mount(f"/docs/{fingerprint()}", _Assets(directory=FOLDER))


@cache
def fingerprint() -> str:
    """It changes with any of the files."""
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()[:12]
