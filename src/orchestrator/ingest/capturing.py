"""Where messages land: where their call says, and in the configurations whose rules match; and which side is ours."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.domain.capture import matching_rule
from orchestrator.domain.identity import Sides, sides
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest.belonging import Belonging, Belongings
from orchestrator.ingest.landing import Landing, Side, Target, configuration_of
from orchestrator.kernel.unit import Unit
from orchestrator.numbers import service as numbers

Wanted = tuple[Target, int | Belonging]
"""Where a message is wanted, and what wants it: a rule, by its position, or what its call says."""


async def capture(unit: Unit, messages: Sequence[InboundMessage], belongings: Belongings) -> list[Landing]:
    """The landings of each message: where its call belongs, then in each other configuration whose rules match it.

    Routing uses the configurations' current rules, whatever version open conversations have pinned; they are in
    creation order. Raises BadRequest for a message whose call cannot belong where it says.
    """
    if not messages:
        return []
    current = await configurations.current(unit, {message.account_id for message in messages})
    owned = await numbers.owned(
        unit,
        {
            (message.account_id, address.canonical)
            for message in messages
            for address in (message.author, message.recipient)
        },
    )
    landings = []
    for message in messages:
        of_account, belonging = current[message.account_id], belongings.get(id(message))
        wanted = _by_attribute(message, of_account, belonging, unit.now)
        wanted += _by_rules(message, of_account, {configuration_of(target) for target, _ in wanted})
        if wanted:
            told = _sides(message, of_account, owned)
            landings += [_landing(message, target, by, told) for target, by in wanted]
    return landings


def _by_attribute(
    message: InboundMessage, current: Sequence[Configuration], belonging: Belonging | None, now: datetime
) -> list[Wanted]:
    """Where its call belongs. A call that was attached there before has nothing new to tell without a word said."""
    if belonging is None:
        return []
    target = belonging.target(current, now)
    if target is None or not (message.content or belonging.attaches):
        return []
    return [(target, belonging)]


def _by_rules(
    message: InboundMessage, current: Sequence[Configuration], reached: AbstractSet[str | None]
) -> list[Wanted]:
    """The configurations with a rule that matches, but for those it has reached already."""
    if not message.content:
        return []
    return [
        (configuration, rule)
        for configuration in current
        if configuration.id not in reached
        and (rule := matching_rule(message, configuration.settings.rules.get(message.channel, ()))) is not None
    ]


def _sides(message: InboundMessage, current: Sequence[Configuration], owned: AbstractSet[tuple[str, str]]) -> Sides:
    addresses = {message.author.canonical, message.recipient.canonical}
    return sides(
        message,
        numbers={address for address in addresses if (message.account_id, address) in owned},
        literals={address for address in addresses if any(address in one.settings.literals for one in current)},
    )


def _landing(message: InboundMessage, target: Target, by: int | Belonging, told: Sides) -> Landing:
    return Landing(
        message,
        target,
        by.attribute if isinstance(by, Belonging) else by,
        Side(message.author, told.author),
        Side(message.recipient, told.recipient),
        told.reason,
        attaches=isinstance(by, Belonging) and by.attaches,
    )
