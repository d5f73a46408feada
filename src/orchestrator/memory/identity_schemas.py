"""What identity resolution settings look like (contract: memory.md 3.1)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from orchestrator.domain.identifiers import MAX_VALUES, RESERVED, IdentifierType
from orchestrator.kernel.openapi import Wire
from orchestrator.memory.identity_settings import config_to_wire
from orchestrator.memory.wire import example

_CONFIGS = [config_to_wire(known) for known in RESERVED.values()]
_RULES = list(RESERVED)


def _lower(value: Any) -> Any:
    """Older clients write the choices in capitals (contract: memory.md 3.1)."""
    return value.lower() if isinstance(value, str) else value


AnyCase = BeforeValidator(_lower)
Algorithm = Annotated[Literal["exact", "fuzzy"], AnyCase]
Policy = Annotated[Literal["fifo", "lifo"], AnyCase]
Normal = Annotated[Literal["phone", "email", "trim", "none"], AnyCase]
IdType = Annotated[str, Field(min_length=2, max_length=30, pattern=r"^[a-zA-Z][a-zA-Z0-9_.-]*$")]


class IdentifierConfigRequest(Wire):
    """A type of identifier. What is left out is as the type has it from the start."""

    model_config = ConfigDict(**example(idType="userId", normalization="none"), extra="forbid")

    id_type: IdType = Field(description="Name of the type. `email`, `whatsapp`, `phone` and `chat` always stay.")
    matching_algo: Algorithm | None = Field(None, description="`fuzzy` is accepted, and treated as `exact`.")
    matching_threshold: Annotated[int, Field(strict=True, ge=50, le=99)] | None = Field(
        None, description="Percentage for `fuzzy`; kept, and not used."
    )
    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_VALUES)] | None = Field(
        None, description="Most values of the type that a profile keeps."
    )
    limit_policy: Policy | None = Field(None, description="Which values go beyond the limit: `fifo`, the oldest.")
    enforce_unique: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Whether a value belongs to one profile. Otherwise two values are needed to match."
    )
    normalization: Normal | None = Field(
        None, description="What is done to values before they are kept and compared; new types: `trim`."
    )

    def complete(self) -> dict[str, Any]:
        """In the API's JSON form, with every member."""
        defaults = config_to_wire(RESERVED.get(self.id_type) or IdentifierType(self.id_type))
        given = self.model_dump(by_alias=True, exclude_none=True)
        return {**defaults, **given}


def _distinct(configs: list[IdentifierConfigRequest]) -> list[IdentifierConfigRequest]:
    names: set[str] = set()
    for config in configs:
        name = config.id_type.lower()
        if name in names or (name in {known.lower() for known in RESERVED} and config.id_type not in RESERVED):
            raise ValueError(f"the type {config.id_type} is there already; names differ by more than capitals")
        names.add(name)
    return configs


class IdentitySettingsRequest(Wire):
    """All of the settings: what is left out is gone."""

    model_config = example(
        identifierConfigs=[*_CONFIGS, {"idType": "userId", "normalization": "none"}],
        matchingRules=["userId", *_RULES],
    )

    identifier_configs: Annotated[
        list[IdentifierConfigRequest], Field(min_length=1, max_length=15), AfterValidator(_distinct)
    ]
    matching_rules: Annotated[list[Annotated[str, Field(max_length=30)]], Field(min_length=1, max_length=15)] = Field(
        description="Types that tell who somebody is, most important first; each rule is one type."
    )

    def to_settings(self) -> dict[str, Any]:
        """In the JSON form that is stored and answered."""
        return {
            "identifierConfigs": [config.complete() for config in self.identifier_configs],
            "matchingRules": self.matching_rules,
        }


class IdentifierConfig(Wire):
    """A type of identifier."""

    id_type: str
    matching_algo: Literal["exact", "fuzzy"]
    matching_threshold: int = Field(ge=50, le=99)
    limit: int = Field(ge=1, le=MAX_VALUES)
    limit_policy: Literal["fifo", "lifo"]
    enforce_unique: bool
    normalization: Literal["phone", "email", "trim", "none"]


class IdentitySettingsResource(Wire):
    """By what a store recognises people."""

    model_config = example(identifierConfigs=_CONFIGS, matchingRules=_RULES, version=1)

    identifier_configs: list[IdentifierConfig]
    matching_rules: list[str]
    version: int = Field(ge=1, description="Rises by one with every update.")
