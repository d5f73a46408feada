"""Accounts that nobody has used, made in the database of an instance that the tests have started."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrator.accounts import service as accounts
from orchestrator.cli.first_account import STORE_NAME
from orchestrator.memory import stores
from orchestrator.serving import database, secret_box, units
from orchestrator.settings import Settings
from orchestrator.testing.accounts import Account

_AT_ONCE = 20
_NUMBER = "+16505550199"


class FreshAccounts:
    """Those of the service on a data folder. Several are made at once: opening the database takes longer than that."""

    def __init__(self, data_dir: Path) -> None:
        # Constructed, not read: the environment may name somebody's production database.
        self._settings = Settings.model_construct(data_dir=data_dir, mode="dev")
        self._made: list[Account] = []

    def take(self) -> Account:
        if not self._made:
            with ThreadPoolExecutor(1) as outside:  # of an event loop that may run here
                self._made = outside.submit(lambda: asyncio.run(self._make())).result()
        return self._made.pop()

    async def _make(self) -> list[Account]:
        made = []
        with database(self._settings, join=True) as ready:
            box = secret_box(ready)
            async with units(ready) as opened, opened.begin() as unit:
                for _ in range(_AT_ONCE):
                    new = await accounts.create_account(unit, box, name="test")
                    store = await stores.create_store(unit, new.account_id, display_name=STORE_NAME, description=None)
                    made.append(Account(new.account_id, new.auth_token, store.id, _NUMBER, is_fresh=True))
        return made
