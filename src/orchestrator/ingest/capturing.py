"""Which configurations capture a message, by which rule, and which side of it is ours."""

from collections.abc import Sequence

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.domain.capture import matching_rule
from orchestrator.domain.identity import sides
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest.landing import Landing, Side
from orchestrator.kernel.unit import Unit
from orchestrator.numbers import service as numbers


async def capture(unit: Unit, messages: Sequence[InboundMessage]) -> list[Landing]:
    """A landing for each message and each configuration whose rules match it, in creation order of those.

    Routing uses the configurations' current rules, whatever version open conversations have pinned.
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
    return [
        landing for message in messages for landing in _captured(message, current.get(message.account_id, []), owned)
    ]


def _captured(
    message: InboundMessage, configurations_: Sequence[Configuration], owned: set[tuple[str, str]]
) -> list[Landing]:
    matched = [
        (configuration, rule)
        for configuration in configurations_
        if (rule := matching_rule(message, configuration.settings.rules.get(message.channel, ()))) is not None
    ]
    if not matched:
        return []
    addresses = {message.author.canonical, message.recipient.canonical}
    told = sides(
        message,
        numbers={address for address in addresses if (message.account_id, address) in owned},
        literals={address for address in addresses if any(address in one.settings.literals for one in configurations_)},
    )
    return [
        Landing(
            message,
            configuration,
            rule,
            Side(message.author, told.author),
            Side(message.recipient, told.recipient),
            told.reason,
        )
        for configuration, rule in matched
    ]
