"""Whether an account's writes of configurations lose nothing by accident: its own setting, before the service's."""

from sqlalchemy import select, update

from orchestrator.accounts import service
from orchestrator.accounts.service import Account
from orchestrator.kernel.secrets import SecretBox
from orchestrator.kernel.unit import Unit
from orchestrator.tables.account import accounts


async def is_strict(unit: Unit, account_id: str, *, by_default: bool) -> bool:
    """What the account says, else the default. Read in the request's own unit: a change counts from the next one."""
    found: bool | None = await unit.connection.scalar(
        select(accounts.c.strict_put).where(accounts.c.account_id == account_id)
    )
    return by_default if found is None else found


async def make_strict(unit: Unit, box: SecretBox, account_id: str, *, strict: bool | None) -> Account:
    """Have the account's writes be strict or not; None leaves it to the service's setting. Raises NotFound."""
    await unit.connection.execute(update(accounts).where(accounts.c.account_id == account_id).values(strict_put=strict))
    return await service.existing_account(unit, box, account_id)
