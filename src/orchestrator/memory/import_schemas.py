"""What imports look like (contract: memory.md 4.11; `summary` counts, as in Twilio's OpenAPI file)."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from sqlalchemy import Row

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.imports import LARGEST_FILE, MOST_COLUMNS
from orchestrator.memory.wire import example

_IMPORT = "mem_import_01kgh3m8qce0m9x2t6v4b7r5zn"
_MAPPINGS = [
    {"columnName": "first_name", "traitGroup": "Contact", "traitName": "firstName"},
    {"columnName": "email_address", "traitGroup": "Contact", "traitName": "email"},
]
Named = Annotated[Text, Field(min_length=1, max_length=64)]
Status = Literal["PENDING", "PROCESSING", "COMPLETED", "FAILED"]


class ColumnMapping(Wire):
    """A column of the file, and the trait that its cells are values of."""

    model_config = ConfigDict(**example(**_MAPPINGS[0]), extra="forbid")

    column_name: Named = Field(description="As it stands in the first row.")
    trait_group: Named
    trait_name: Named


class ImportRequest(Wire):
    """A file that is going to be uploaded."""

    model_config = example(filename="customers.csv", fileSize=204_800, columnMappings=_MAPPINGS)

    filename: Annotated[Text, Field(min_length=1, max_length=255)]
    file_size: Annotated[int, Field(strict=True, ge=1, le=LARGEST_FILE)] = Field(description="In bytes.")
    column_mappings: Annotated[list[ColumnMapping], Field(min_length=2, max_length=MOST_COLUMNS)] = Field(
        description="One at least goes to a trait that is an identifier. Columns without a mapping are not read."
    )


class ImportCreated(Wire):
    """Where to put the file."""

    model_config = example(importId=_IMPORT, url=f"https://orchestrator.example.com/uploads/{_IMPORT}?token=...")

    import_id: str
    url: str = Field(
        description="Takes the file in one PUT, within 30 minutes, without further credentials.",
        json_schema_extra={"format": "uri"},
    )


class ImportMessage(Wire):
    """Something that was wrong with a file."""

    row: int | None = Field(None, description="The row, 1 below the header; absent when it is the whole file.")
    column: str | None = Field(None, description="The column, for a single cell.")
    message: str


class ImportSummary(Wire):
    """What was wrong with a file."""

    errors: int = Field(description="Rows that were not written, and what ended the import, if anything did.")
    warnings: int = Field(description="Cells that were left out.")
    first_errors: list[ImportMessage] = Field(description="The first 100.")
    first_warnings: list[ImportMessage] = Field(description="The first 100.")


class ImportResource(Wire):
    """An import."""

    model_config = example(
        id=_IMPORT,
        status="COMPLETED",
        filename="customers.csv",
        createdAt="2026-02-03T09:15:04Z",
        updatedAt="2026-02-03T09:16:10Z",
        fileSize=204_800,
        columnMappings=_MAPPINGS,
        rowsDone=1_520,
        rowsFailed=1,
        summary={
            "errors": 1,
            "warnings": 0,
            "firstErrors": [{"row": 17, "message": "no identifier: first_name alone tells nobody apart"}],
            "firstWarnings": [],
        },
    )

    id: str
    status: Status
    filename: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    file_size: int
    column_mappings: list[ColumnMapping]
    rows_done: int = Field(description="Rows that were looked at so far, those that failed among them.")
    rows_failed: int
    summary: ImportSummary


class ImportPage(Wire):
    """One page of import ids."""

    model_config = example(imports=[_IMPORT], meta={"key": "imports", "pageSize": 1})

    imports: list[str]
    meta: Meta


class Uploaded(Wire):
    """The file is here whole."""

    model_config = example(importId=_IMPORT, status="PENDING")

    import_id: str
    status: Status


def import_to_wire(row: Row[Any]) -> dict[str, Any]:
    """The import resource."""
    about_the_file = sum("row" not in error for error in row.errors)
    return {
        "id": row.id,
        "status": row.status,
        "filename": row.filename,
        "createdAt": rest_time(row.created_at),
        "updatedAt": rest_time(row.updated_at),
        "fileSize": row.file_size,
        "columnMappings": row.column_mappings,
        "rowsDone": row.rows_done,
        "rowsFailed": row.rows_failed,
        "summary": {
            "errors": row.rows_failed + about_the_file,
            "warnings": row.warning_count,
            "firstErrors": row.errors,
            "firstWarnings": row.warnings,
        },
    }
