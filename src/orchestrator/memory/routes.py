"""The Memory API: everything under `/v1`."""

from fastapi import APIRouter

from orchestrator.memory import identifier_routes, profile_routes, store_routes

router = APIRouter()
for part in (store_routes, profile_routes, identifier_routes):
    router.include_router(part.router)
