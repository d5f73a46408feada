"""Configurations to read: the list, one of them with its rules, its versions, and what differs between two of those."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.configuration_form import GROUPINGS
from orchestrator.console.edge import SignedIn
from orchestrator.console.explaining import explained
from orchestrator.console.page import InPage, path_to

router = APIRouter(prefix="/console/configurations", route_class=SignedIn, include_in_schema=False)

_LIST = "/v2/ControlPlane/Configurations"
_VERSIONS = "/orchestrator/v1/Configurations/{}/Versions"
_LATEST = 5
"""Versions on the page of a configuration."""


@router.get("")
async def list_configurations(page: InPage) -> Response:
    found = await page.get(_LIST, memoryStoreId=page.query("store"), pageToken=page.query("pageToken"))
    return await page.show("configurations.html", found=found, groupings=GROUPINGS)


@router.get("/{configuration_id}")
async def show_configuration(page: InPage, configuration_id: str) -> Response:
    configuration, versions = await page.together(
        page.get(path_to(f"{_LIST}/{{}}", configuration_id)),
        page.ask(path_to(_VERSIONS, configuration_id), pageSize=_LATEST),
    )
    return await page.show(
        "configuration.html",
        configuration=configuration,
        versions=versions,
        groupings=GROUPINGS,
        **await explained(page),
    )


@router.get("/{configuration_id}/versions")
async def list_versions(page: InPage, configuration_id: str) -> Response:
    configuration, versions = await page.together(
        page.get(path_to(f"{_LIST}/{{}}", configuration_id)),
        page.get(path_to(_VERSIONS, configuration_id), pageToken=page.query("pageToken")),
    )
    return await page.show("configuration_versions.html", configuration=configuration, versions=versions)


@router.get("/{configuration_id}/versions/{version}")
async def show_version(page: InPage, configuration_id: str, version: str) -> Response:
    configuration, found = await page.together(
        page.get(path_to(f"{_LIST}/{{}}", configuration_id)),
        page.get(path_to(_VERSIONS + "/{}", configuration_id, version)),
    )
    return await page.show("configuration_version.html", configuration=configuration, found=found, groupings=GROUPINGS)


@router.get("/{configuration_id}/diff")
async def diff(page: InPage, configuration_id: str) -> Response:
    """`from` and `to` are numbers of versions; `to` is the current one unless it is given."""
    configuration = await page.get(path_to(f"{_LIST}/{{}}", configuration_id))
    version = page.query("to") or str(configuration.body["version"])
    found = await page.ask(path_to(_VERSIONS + "/{}/Diff", configuration_id, version), against=page.query("from"))
    return await page.show("configuration_diff.html", configuration=configuration, found=found)
