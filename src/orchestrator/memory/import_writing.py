"""Writing a batch of an import's rows: everybody is found or made as in a bulk request, then traits are removed."""

from collections.abc import Sequence

from orchestrator.kernel.errors import OrchestratorError
from orchestrator.kernel.unit import Unit
from orchestrator.memory import import_rows, trait_groups, upsert
from orchestrator.memory.import_files import Cells
from orchestrator.memory.import_jobs import Job, Progress
from orchestrator.memory.import_rows import Message, NotSaid, Said
from orchestrator.memory.merging import Trigger
from orchestrator.memory.stores import Store

Outcome = str | OrchestratorError
"""The profile of a row, or why there is none."""


async def write_rows(unit: Unit, store: Store, job: Job, header: Cells, rows: Sequence[Cells]) -> Progress:
    """Write the rows that come next; returns how far the import is with them."""
    columns = import_rows.columns(header, job.mappings, await trait_groups.definitions(unit, store))
    first = job.progress.rows_done + 1
    read = [import_rows.read(first + number, cells, header, columns) for number, cells in enumerate(rows)]
    people = [one for one in read if isinstance(one, Said)]
    outcomes = await upsert.write_profiles(unit, store, [one.traits for one in people], trigger=Trigger.IMPORT)
    await _remove(unit, store, people, outcomes)
    errors = [{"row": one.row, "message": one.reason} for one in read if isinstance(one, NotSaid)]
    errors += [
        {"row": one.row, "message": outcome.message}
        for one, outcome in zip(people, outcomes, strict=True)
        if isinstance(outcome, OrchestratorError)
    ]
    warnings = [warning for one in people for warning in one.warnings]
    return job.progress.and_then(len(rows), sorted(errors, key=_row), warnings)


async def _remove(unit: Unit, store: Store, people: Sequence[Said], outcomes: Sequence[Outcome]) -> None:
    """Remove the traits that rows remove, unless a later row of the batch has set them."""
    if not any(one.removed for one in people):
        return
    profiles = await _canonical(unit, store, outcomes)
    last: dict[tuple[str, str, str], bool] = {}
    for one, outcome in zip(people, outcomes, strict=True):
        if isinstance(outcome, str):
            profile_id = profiles.get(outcome, outcome)
            for group, values in one.traits.items():
                last.update(dict.fromkeys(((profile_id, group, name) for name in values), False))
            last.update(dict.fromkeys(((profile_id, *trait) for trait in one.removed), True))
    gone = [trait for trait, is_gone in last.items() if is_gone]
    await unit.driver.execute(
        """
        delete from profile_traits where account_id = $1 and store_id = $2
          and (profile_id, trait_group, name) in (select * from unnest($3::text[], $4::text[], $5::text[]))
        """,
        store.account_id,
        store.id,
        *([trait[part] for trait in gone] for part in range(3)),
    )


async def _canonical(unit: Unit, store: Store, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Profiles that a later row of the batch has merged into another, and which."""
    rows = await unit.driver.fetch(
        "select id, merged_into from profiles "
        "where account_id = $1 and store_id = $2 and id = any ($3) and merged_into is not null",
        store.account_id,
        store.id,
        [one for one in outcomes if isinstance(one, str)],
    )
    return {row["id"]: row["merged_into"] for row in rows}


def _row(message: Message) -> int:
    row: int = message["row"]
    return row
