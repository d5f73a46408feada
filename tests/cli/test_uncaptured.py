"""`orchestrator uncaptured`: what landed nowhere, and why; ids that nobody has lead nowhere else."""

import pytest

from orchestrator import phones
from orchestrator.cli.api import Refused
from tests.cli.terminal import Terminal
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN

ELSEWHERE = "+16505550100"


async def test_what_landed_nowhere_is_listed_with_its_reasons(terminal: Terminal) -> None:
    assert (await terminal.typed("uncaptured")).out == "Nothing is kept that landed in no conversation.\n"
    await make_configuration(terminal.service, displayName="Support")
    first, second = phones.message("SMS", KIRAN, ELSEWHERE, "one"), phones.message("SMS", KIRAN, "a\nb", "two")
    async with terminal.api() as api:
        await api.receive(first)
        with pytest.raises(Refused, match="answered 400"):
            await api.receive(second)
    sid = first.fields["MessageSid"]
    lines = (await terminal.typed("uncaptured")).out.splitlines()
    assert lines[0].endswith(f"{second.fields['MessageSid']}  {KIRAN} → a b")
    assert lines[1].startswith("  Refused with error 20001: /To")
    assert lines[2].endswith(f"{sid}  SMS {KIRAN} → {ELSEWHERE}")
    assert lines[3] == "  Not captured: no capture rule of any configuration matches."
    assert lines[4].startswith("  Near, in “Support”: rule ")
    everything = (await terminal.typed("uncaptured", "--json")).json["uncaptured"]
    assert [one["resourceId"] for one in everything] == [second.fields["MessageSid"], sid]
    for options, found in ((("--limit", "1"), everything[:1]), (("--message", sid), everything[1:])):
        assert (await terminal.typed("uncaptured", *options, "--json")).json == {"uncaptured": found}


async def test_an_id_that_means_something_in_a_path_is_nobodys(terminal: Terminal) -> None:
    for command, kind in (("conversations", "conversation"), ("deliveries", "delivery"), ("redeliver", "delivery")):
        done = await terminal.typed(command, ".")
        assert (done.code, done.err.rpartition("404: ")[2]) == (1, f"there is no {kind} .\n")
    done = await terminal.typed("conversations", "")
    assert (done.code, done.err) == (2, "orchestrator: the ID is empty\n")
