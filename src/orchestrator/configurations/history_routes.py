"""`/orchestrator/v1/Configurations/{id}/Versions`: what a configuration has been, and the way back to it."""

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from orchestrator.configurations import history, service
from orchestrator.configurations.differences import between
from orchestrator.configurations.dry_runs import REHEARSED, outcome
from orchestrator.configurations.history import LARGEST, PastVersion
from orchestrator.configurations.history_schemas import (
    ConfigurationDifference,
    ConfigurationVersion,
    ConfigurationVersionPage,
    changes_to_wire,
    version_to_wire,
)
from orchestrator.configurations.routes import OfPath
from orchestrator.domain.differences import deletions
from orchestrator.kernel.conditions import OnlyIfMatch
from orchestrator.kernel.errors import BadRequest, NotFound
from orchestrator.kernel.http import AdmitsInsecure, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query, query_parameter
from orchestrator.kernel.paging import ListQuery
from orchestrator.operations.accepted import ACCEPTED
from orchestrator.operations.dry_run import DRY_RUN, DryRun
from orchestrator.operations.idempotency import AnswersOnceUnlessDry

router = APIRouter(prefix="/orchestrator/v1/Configurations/{id}/Versions", tags=["Orchestrator"], route_class=ApiRoute)

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_AGAINST = query_parameter(
    "against",
    "The version to compare with. Default: the current one.",
    type="integer",
    minimum=1,
    maximum=LARGEST,
)


async def version_of_path(
    number: Annotated[str, Path(alias="version", description="Number of the version.", examples=["1"])],
    configuration: OfPath,
    unit: InUnit,
) -> PastVersion:
    """The version that the path names."""
    if not _NUMBER.fullmatch(number):
        raise NotFound(f"configuration {configuration.id} has no version {number}")
    return await history.find(unit, configuration, int(number))


VersionOfPath = Annotated[PastVersion, Depends(version_of_path)]


@router.get(
    "",
    operation_id="ListConfigurationVersion",
    summary="List the versions of a configuration, newest first",
    response_model=ConfigurationVersionPage,
    responses=errors(400, 404),
    openapi_extra=list_query(),
)
async def list_versions(configuration: OfPath, unit: InUnit, query: InList) -> Response:
    page = await history.page(unit, configuration, query.page())
    return Json(page.envelope("versions", [version_to_wire(version) for version in page.items]))


@router.get(
    "/{version}",
    operation_id="FetchConfigurationVersion",
    summary="Fetch a version of a configuration",
    response_model=ConfigurationVersion,
    responses=errors(404),
)
async def fetch_version(version: VersionOfPath) -> Response:
    return Json(version_to_wire(version))


@router.get(
    "/{version}/Diff",
    operation_id="DiffConfigurationVersion",
    summary="What a version says otherwise than another one",
    response_model=ConfigurationDifference,
    responses=errors(400, 404),
    openapi_extra={"parameters": [_AGAINST]},
)
async def diff_version(configuration: OfPath, version: VersionOfPath, unit: InUnit, query: InList) -> Response:
    other = await history.find(unit, configuration, _against(query, configuration.version))
    found = between(other.body, version.body)
    body = {"version": version.number, "against": other.number, "changes": changes_to_wire(found)}
    return Json({**body, "deleted": deletions(found)})


@router.post(
    "/{version}/Rollback",
    operation_id="RollbackConfiguration",
    summary="Make a new version that says what an earlier one said",
    status_code=202,
    response_model=None,
    responses={**REHEARSED, **ACCEPTED, **errors(400, 404, 409, 412, 415)},
    openapi_extra={"parameters": [DRY_RUN]},
)
async def roll_back(
    answer: AnswersOnceUnlessDry,
    configuration: OfPath,
    version: VersionOfPath,
    if_match: OnlyIfMatch,
    allow_insecure: AdmitsInsecure,
    dry_run: DryRun,
) -> Response:
    write = partial(
        service.restore,
        answer.unit,
        answer.account_id,
        configuration.id,
        version.body,
        if_match=if_match,
        allow_insecure=allow_insecure,
    )
    return await outcome(answer, configuration, write, dry_run=dry_run)


def _against(query: ListQuery, current: int) -> int:
    text = query.one("against")
    if text is None:
        return current
    if not _NUMBER.fullmatch(text) or int(text) > LARGEST:
        raise BadRequest(
            f"against must be a whole number from 1 to {LARGEST}", params={"field": "against", "value": text[:200]}
        )
    return int(text)
