"""Refusals of the memory store, with the product's own codes (contract: memory.md 1.7)."""

from orchestrator.kernel.errors import BadRequest, Conflict, NotFound, PreconditionFailed


class StoreNotFound(NotFound):
    """No such store in the account, or it was deleted.

    What to do: list the stores; one that was deleted does not come back.
    """

    code = 520041


class StoreNotActive(Conflict):
    """The store exists but cannot serve yet, or never will.

    What to do: not met: stores are ACTIVE as soon as they are made.
    """

    code = 520042


class VersionConflict(PreconditionFailed):
    """The resource is not at the version that `If-Match` names.

    What to do: read the store, settings or group again, and send its new `ETag`.
    """

    code = 520043


class StoreLimitReached(BadRequest):
    """The account has as many stores as it may have.

    What to do: delete a store, or share one between configurations.
    """

    code = 520044


class StoreNameTaken(Conflict):
    """Another store of the account has this display name.

    What to do: choose another `displayName`.
    """

    code = 520045


class TraitGroupNotFound(NotFound):
    """The store has no such trait group.

    What to do: list the store's trait groups; names count in upper and lower case.
    """

    code = 520047


class MalformedStoreId(BadRequest):
    """The path holds something that is not a store id.

    What to do: an id is `mem_store_` or `mem_service_` and 26 characters.
    """

    code = 520049


class ProtectedTrait(BadRequest):
    """A trait, or the group, that every store has.

    What to do: leave `Contact` and its identifiers as they are; make a group of your own.
    """

    code = 520050


class MalformedOperationId(BadRequest):
    """The path holds something that is not an operation id.

    What to do: take the `statusUrl` of the 202 as it is.
    """

    code = 520051


class OperationNotFound(NotFound):
    """No such operation, or it finished too long ago.

    What to do: look at the resource itself; operations are kept for 7 days.
    """

    code = 520052


class TraitGroupLimitReached(BadRequest):
    """The store has as many trait groups as it may have.

    What to do: delete a group, or put the traits into another one.
    """

    code = 520053


class TraitLimitReached(BadRequest):
    """The group would have more traits than it may have.

    What to do: put some of them into another group.
    """

    code = 520054


class TraitGroupNameTaken(Conflict):
    """Another trait group of the store has this name.

    What to do: change that group, or choose another name.
    """

    code = 520055
