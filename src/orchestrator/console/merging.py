"""Making two profiles one, and one two again: each shows first what it would do."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.console.problems import by_field
from orchestrator.console.profiles import MERGES, PROFILE, SETTINGS, page_of_profile
from orchestrator.console.stores import called, look_up
from orchestrator.kernel.ids import PROFILE as PROFILE_ID
from orchestrator.kernel.ids import is_id

router = APIRouter(prefix="/console/stores/{store_id}", route_class=SignedIn, include_in_schema=False)


@router.get("/profiles/{profile_id}/merge")
async def choose(page: InPage, store_id: str, profile_id: str) -> Response:
    """`with` is the other profile's id, or what it is known by, of the type `idType`."""
    mine, settings = await page.together(
        page.get(path_to(PROFILE, store_id, profile_id)), page.get(path_to(SETTINGS, store_id))
    )
    wanted, id_type = page.query("with") or "", page.query("idType") or ""
    found = None if not wanted or is_id(wanted, PROFILE_ID) else await look_up(page, store_id, id_type, wanted)
    others = [wanted] if found is None else found.body["profiles"] if found.succeeded else []
    other = await page.ask(path_to(PROFILE, store_id, others[0])) if wanted and others else None
    return await page.show(
        "merge_choice.html",
        store_id=store_id,
        mine=mine,
        settings=settings,
        wanted={"with": wanted, "idType": id_type},
        found=found,
        other=other,
        wrong=by_field(found),
        **(await _both(page, store_id, mine, other, settings) if other is not None and other.succeeded else {}),
    )


@router.post("/profiles/{profile_id}/merge")
async def merge(page: InPage, store_id: str, profile_id: str) -> Response:
    """Profiles become one when one of them is given what the other is known by."""
    other, id_type, value = (page.form.get(name, "") for name in ("with", "idType", "value"))
    path = path_to(PROFILE + "/Identifiers", store_id, profile_id)
    await page.send("POST", path, {"idType": id_type, "value": value})
    return page.go(page_of_profile(store_id, profile_id), f"{profile_id} and {other} are one. It can be undone.")


@router.get("/merges")
async def list_merges(page: InPage, store_id: str) -> Response:
    merges = await page.get(path_to(MERGES, store_id), pageToken=page.query("pageToken"))
    return await page.show("merges.html", store_id=store_id, merges=merges)


@router.get("/merges/{merge_id}")
async def show_merge(page: InPage, store_id: str, merge_id: str) -> Response:
    found = await page.get(path_to(MERGES + "/{}", store_id, merge_id))
    return await page.show("merge.html", store_id=store_id, found=found)


@router.get("/merges/{merge_id}/undo")
async def preview_undo(page: InPage, store_id: str, merge_id: str) -> Response:
    found = await page.get(path_to(MERGES + "/{}", store_id, merge_id))
    brought = found.body["before"]["merged"]["identifiers"]
    picked = [place for place in range(len(brought)) if page.query(f"pick-{place}")]
    body = _part([brought[place] for place in picked] if page.query("what") == "some" else None)
    path = path_to(MERGES + "/{}/Undo", store_id, merge_id)
    return await page.show(
        "merge_undo.html",
        store_id=store_id,
        found=found,
        chosen=body.get("identifiers"),
        preview=await page.try_to_send("POST", path + "?dryRun=true", body),
        write=page.request_for("POST", path, body),
    )


@router.post("/merges/{merge_id}/undo")
async def undo(page: InPage, store_id: str, merge_id: str) -> Response:
    """The fields `type-0`, `value-0` and so on are the identifiers to take out of it; without any, all of it."""
    form = page.form
    chosen: list[dict[str, str]] = []
    while f"type-{len(chosen)}" in form:
        place = len(chosen)
        chosen.append({"idType": form[f"type-{place}"], "value": form.get(f"value-{place}", "")})
    done = await page.send("POST", path_to(MERGES + "/{}/Undo", store_id, merge_id), _part(chosen or None))
    notice = f"{done.body['survivorId']} and {done.body['mergedId']} are two profiles again."
    return page.go(path_to("/console/stores/{}/merges/{}", store_id, merge_id), notice)


def _part(identifiers: list[dict[str, str]] | None) -> dict[str, Any]:
    """What to undo: these identifiers, or everything."""
    return {} if identifiers is None else {"identifiers": identifiers}


async def _both(page: Page, store_id: str, mine: Answer, other: Answer, settings: Answer) -> dict[str, Any]:
    """The two beside each other, and by what they would become one."""
    sides = [one.body for one in (mine, other)]
    known = await page.together(*(page.get(path_to(PROFILE + "/Identifiers", store_id, side["id"])) for side in sides))
    shared = _telling(settings.body, known[1].body["identifiers"])
    path = path_to(PROFILE + "/Identifiers", store_id, mine.body["id"])
    return {
        "sides": [
            side | {"called": called(side["traits"]), "identifiers": its.body["identifiers"]}
            for side, its in zip(sides, known, strict=True)
        ],
        "survivor": min(side["id"] for side in sides),
        "shared": shared,
        "write": page.request_for("POST", path, shared),
    }


def _telling(settings: dict[str, Any], identifiers: list[dict[str, Any]]) -> dict[str, str] | None:
    """An identifier that tells who somebody is: of a type that is unique and has a rule, the most important first."""
    unique = {one["idType"] for one in settings["identifierConfigs"] if one["enforceUnique"]}
    values = {one["idType"]: one["values"] for one in identifiers if one["values"]}
    telling = (name for name in settings["matchingRules"] if name in unique and name in values)
    return next(({"idType": name, "value": values[name][0]} for name in telling), None)
