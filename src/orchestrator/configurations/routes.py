"""`/v2/ControlPlane/Configurations`."""

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from orchestrator.configurations import service
from orchestrator.configurations.dry_runs import REHEARSED, outcome
from orchestrator.configurations.guarding import Guarded
from orchestrator.configurations.model import Configuration
from orchestrator.configurations.patches import PatchConfigurationRequest
from orchestrator.configurations.schemas import (
    ConfigurationPage,
    ConfigurationResource,
    CreateConfigurationRequest,
    UpdateConfigurationRequest,
    to_wire,
)
from orchestrator.kernel.conditions import ETAG_HEADERS, OnlyIfMatch, etag
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, AdmitsInsecure, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.ids import MEMORY_STORE_PATTERN
from orchestrator.kernel.openapi import errors, list_query, query_parameter
from orchestrator.kernel.paging import ListQuery, PageRequest
from orchestrator.operations.accepted import ACCEPTED
from orchestrator.operations.dry_run import DRY_RUN, DryRun
from orchestrator.operations.idempotency import AnswersOnce, AnswersOnceUnlessDry

router = APIRouter(
    prefix="/v2/ControlPlane/Configurations", route_class=ApiRoute, tags=["ConversationsV2Configuration"]
)


async def configuration_of_path(
    configuration_id: Annotated[str, Path(alias="id")], account_id: AccountId, unit: InUnit
) -> Configuration:
    """The configuration that the path names. A dependency, so that an unknown id is told before a wrong body."""
    return await service.find(unit, account_id, configuration_id)


OfPath = Annotated[Configuration, Depends(configuration_of_path)]

_STORE_FILTER = query_parameter(
    "memoryStoreId",
    "Only configurations that use this memory store.",
    type="string",
    pattern=MEMORY_STORE_PATTERN,
)


@router.post(
    "",
    operation_id="CreateConfiguration",
    summary="Create a configuration",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 409, 415)},
)
async def create_configuration(
    answer: AnswersOnce, wanted: CreateConfigurationRequest, allow_insecure: AdmitsInsecure
) -> Response:
    return await answer.of(await service.create(answer.unit, answer.account_id, wanted, allow_insecure=allow_insecure))


@router.get(
    "",
    operation_id="ListConfiguration",
    summary="List configurations, newest first",
    response_model=ConfigurationPage,
    responses=errors(400),
    openapi_extra=list_query(_STORE_FILTER),
)
async def list_configurations(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = await service.page(unit, account_id, _page_request(query))
    return Json(page.envelope("configurations", [to_wire(configuration) for configuration in page.items]))


@router.get(
    "/{id}",
    operation_id="FetchConfiguration",
    summary="Fetch a configuration",
    response_model=ConfigurationResource,
    responses={200: {"headers": ETAG_HEADERS}, **errors(404)},
)
async def fetch_configuration(configuration: OfPath) -> Response:
    return Json(to_wire(configuration), headers={"ETag": etag(configuration.version)})


@router.put(
    "/{id}",
    operation_id="UpdateConfiguration",
    summary="Replace a configuration: what is left out is deleted",
    status_code=202,
    response_model=None,
    responses={**REHEARSED, **ACCEPTED, **errors(400, 404, 409, 412, 415)},
    openapi_extra={"parameters": [DRY_RUN]},
)
async def update_configuration(
    answer: AnswersOnceUnlessDry,
    configuration: OfPath,
    wanted: UpdateConfigurationRequest,
    if_match: OnlyIfMatch,
    guard: Guarded,
    allow_insecure: AdmitsInsecure,
    dry_run: DryRun,
) -> Response:
    write = partial(
        service.replace,
        answer.unit,
        answer.account_id,
        configuration.id,
        wanted,
        if_match=if_match,
        guard=guard,
        allow_insecure=allow_insecure,
    )
    return await outcome(answer, configuration, write, dry_run=dry_run)


@router.patch(
    "/{id}",
    operation_id="PatchConfiguration",
    summary="Change a configuration: what is left out stays",
    status_code=202,
    response_model=None,
    responses={**REHEARSED, **ACCEPTED, **errors(400, 404, 409, 412, 415)},
    openapi_extra={"parameters": [DRY_RUN]},
)
async def patch_configuration(
    answer: AnswersOnceUnlessDry,
    configuration: OfPath,
    wanted: PatchConfigurationRequest,
    if_match: OnlyIfMatch,
    guard: Guarded,
    allow_insecure: AdmitsInsecure,
    dry_run: DryRun,
) -> Response:
    write = partial(
        service.patch,
        answer.unit,
        answer.account_id,
        configuration.id,
        wanted,
        if_match=if_match,
        guard=guard,
        allow_insecure=allow_insecure,
    )
    return await outcome(answer, configuration, write, dry_run=dry_run)


@router.delete(
    "/{id}",
    operation_id="DeleteConfiguration",
    summary="Delete a configuration that has no open conversations",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409, 412)},
)
async def delete_configuration(answer: AnswersOnce, configuration: OfPath, if_match: OnlyIfMatch) -> Response:
    operation = await service.delete(answer.unit, answer.account_id, configuration.id, if_match=if_match)
    return await answer.of(operation)


def _page_request(query: ListQuery) -> PageRequest:
    request = query.page(memoryStoreId=query.one("memoryStoreId"))
    store_id = request.filters.get("memoryStoreId")
    if store_id is not None and not re.fullmatch(MEMORY_STORE_PATTERN, str(store_id)):
        raise BadRequest(
            f"memoryStoreId must match {MEMORY_STORE_PATTERN}", params={"field": "memoryStoreId", "value": store_id}
        )
    return request
