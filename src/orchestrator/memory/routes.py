"""The Memory API: everything under `/v1`, and merges."""

from fastapi import APIRouter

from orchestrator.memory import (
    identifier_routes,
    identity_routes,
    import_routes,
    merge_routes,
    observation_routes,
    profile_routes,
    store_routes,
    summary_routes,
    trait_group_routes,
    trait_routes,
)

router = APIRouter()
for part in (
    store_routes,
    identity_routes,
    trait_group_routes,
    import_routes,  # before a profile whose id would be "Imports"
    profile_routes,
    trait_routes,
    identifier_routes,
    observation_routes,
    summary_routes,
    merge_routes,
):
    router.include_router(part.router)
