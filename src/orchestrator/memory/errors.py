"""Refusals of the memory store, with the product's own codes (contract: memory.md 1.7)."""

from orchestrator.kernel.errors import BadRequest, Conflict, NotFound, PreconditionFailed


class StoreNotFound(NotFound):
    """No such store in the account, or it was deleted."""

    code = 520041


class StoreNotActive(Conflict):
    """The store exists but cannot serve yet, or never will."""

    code = 520042


class VersionConflict(PreconditionFailed):
    """The resource is not at the version that `If-Match` names."""

    code = 520043


class StoreLimitReached(BadRequest):
    """The account has as many stores as it may have."""

    code = 520044


class StoreNameTaken(Conflict):
    """Another store of the account has this display name."""

    code = 520045


class TraitGroupNotFound(NotFound):
    """The store has no such trait group."""

    code = 520047


class MalformedStoreId(BadRequest):
    """The path holds something that is not a store id."""

    code = 520049


class ProtectedTrait(BadRequest):
    """A trait, or the group, that every store has."""

    code = 520050


class MalformedOperationId(BadRequest):
    """The path holds something that is not an operation id."""

    code = 520051


class OperationNotFound(NotFound):
    """No such operation, or it finished too long ago."""

    code = 520052


class TraitGroupLimitReached(BadRequest):
    """The store has as many trait groups as it may have."""

    code = 520053


class TraitLimitReached(BadRequest):
    """The group would have more traits than it may have."""

    code = 520054


class TraitGroupNameTaken(Conflict):
    """Another trait group of the store has this name."""

    code = 520055
