"""Going back to a version of a configuration, and deleting one: both show first what they would do."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.configuration_form import only, version_of
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to

router = APIRouter(prefix="/console/configurations", route_class=SignedIn, include_in_schema=False)

_ONE = "/v2/ControlPlane/Configurations/{}"
_ROLLBACK = "/orchestrator/v1/Configurations/{}/Versions/{}/Rollback"
_DRY = "?dryRun=true"


@router.get("/{configuration_id}/versions/{version}/rollback")
async def preview_rollback(page: InPage, configuration_id: str, version: str) -> Response:
    return await _rollback_page(page, configuration_id, version)


@router.post("/{configuration_id}/versions/{version}/rollback")
async def roll_back(page: InPage, configuration_id: str, version: str) -> Response:
    current = version_of(page.form.get("current", ""))
    done = await page.try_to_send("POST", path_to(_ROLLBACK, configuration_id, version), headers=only(current))
    if not done.succeeded:
        return await _rollback_page(page, configuration_id, version, done)
    notice = f"Version {current + 1} is in force from now: it says what version {version} said."
    return page.go(path_to("/console/configurations/{}", configuration_id), notice)


@router.get("/{configuration_id}/delete")
async def ask_whether_to_delete(page: InPage, configuration_id: str) -> Response:
    return await _deletion_page(page, configuration_id)


@router.post("/{configuration_id}/delete")
async def delete(page: InPage, configuration_id: str) -> Response:
    version = version_of(page.form.get("version", ""))
    done = await page.try_to_send("DELETE", path_to(_ONE, configuration_id), headers=only(version))
    if not done.succeeded:
        return await _deletion_page(page, configuration_id, done)
    return page.go("/console/configurations", f"{configuration_id} is deleted.")


async def _rollback_page(page: Page, configuration_id: str, version: str, refusal: Answer | None = None) -> Response:
    """What would change, and against which current version; after a refusal, against the one that is current now."""
    path = path_to(_ROLLBACK, configuration_id, version)
    current = await page.get(path_to(_ONE, configuration_id))
    number = current.body["version"]
    preview = await page.try_to_send("POST", path + _DRY, headers=only(number))
    return await page.show(
        "configuration_rollback.html",
        refusal.status if refusal else 200,
        configuration=current,
        wanted=version,
        preview=preview,
        refusal=refusal,
        write=page.request_for("POST", path, headers=only(number)),
    )


async def _deletion_page(page: Page, configuration_id: str, refusal: Answer | None = None) -> Response:
    path = path_to(_ONE, configuration_id)
    current = await page.get(path)
    # A change to nothing, of which nothing is kept: it tells how many conversations are open.
    counted = await page.try_to_send("PATCH", path + _DRY, {})
    return await page.show(
        "configuration_deletion.html",
        refusal.status if refusal else 200,
        configuration=current,
        counted=counted,
        refusal=refusal,
        write=page.request_for("DELETE", path, headers=only(current.body["version"])),
    )
