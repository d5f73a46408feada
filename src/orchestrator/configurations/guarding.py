"""Strict writes: nothing is lost from a configuration that the request does not name. An addition of ours.

Twilio's PUT deletes what a request leaves out, and a PATCH replaces a channel whole. Whoever asks for it is refused
instead, and told what would be lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema

from orchestrator.accounts import strictness
from orchestrator.configurations.differences import between
from orchestrator.configurations.patches import PatchConfigurationRequest
from orchestrator.configurations.schemas import UpdateConfigurationRequest
from orchestrator.domain.differences import deletions, parts
from orchestrator.kernel.errors import BadRequest, WouldDelete
from orchestrator.kernel.http import AccountId, InUnit

STRICT, DELETE = "Orchestrator-Strict", "Orchestrator-Delete"
_CHOICES = ("true", "false")


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be deleted from a configuration."""

    strict: bool = False
    """Only what is named, in the body or by `named`; otherwise everything."""
    named: tuple[str, ...] = ()
    """JSON pointers; each stands for what is below it, too."""

    def check(
        self,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        request: UpdateConfigurationRequest | PatchConfigurationRequest,
    ) -> None:
        """Raise WouldDelete if the settings lose what nobody has named. A null names a field in a PATCH alone."""
        if not self.strict:
            return
        is_put = isinstance(request, UpdateConfigurationRequest)
        body = request.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=is_put)
        lost = [
            path for path in deletions(between(before, after)) if not self._names(path) and not _has(body, parts(path))
        ]
        if lost:
            raise WouldDelete(
                f"the request would delete {', '.join(lost)}; send what is to stay, "
                f"or name what may go in {DELETE}: {','.join(lost)}",
                details={"fields": lost},
            )

    def _names(self, path: str) -> bool:
        return any(path == pointer or path.startswith(f"{pointer}/") for pointer in self.named)


ANYTHING = Guard()


async def guard(
    request: Request,
    account_id: AccountId,
    unit: InUnit,
    strict: Annotated[
        str | SkipJsonSchema[None],
        Header(
            alias=STRICT,
            description=f"`true`: a request that would delete fields which neither it nor `{DELETE}` names is a 409. "
            "Without it, the account decides (`orchestrator accounts strict`), or else `ORCHESTRATOR_STRICT_PUT`.",
            json_schema_extra={"enum": list(_CHOICES)},
        ),
    ] = None,
    delete: Annotated[
        str | SkipJsonSchema[None],
        Header(
            alias=DELETE,
            description="What a strict request may delete: JSON pointers with commas between them. "
            "Each stands for what is below it, too.",
            examples=["/statusCallbacks,/channelSettings/VOICE"],
        ),
    ] = None,
) -> Guard:
    """What the request lets be deleted. Raises BadRequest."""
    named = [pointer.strip() for pointer in (delete or "").split(",")]
    if strict is None:
        by_default: bool = request.app.state.settings.strict_put
        of_account = await strictness.is_strict(unit, account_id, by_default=by_default)
        return Guard(of_account, tuple(filter(None, named)))
    if strict.lower() not in _CHOICES:
        raise BadRequest(f"{STRICT} must be true or false", params={"field": STRICT, "value": strict[:200]})
    return Guard(strict.lower() == "true", tuple(filter(None, named)))


Guarded = Annotated[Guard, Depends(guard)]


def _has(body: Any, names: list[str]) -> bool:
    """Whether a request says something of the field at the end of this way, or null of something on it."""
    if body is None or not names:
        return True
    return isinstance(body, dict) and names[0] in body and _has(body[names[0]], names[1:])
