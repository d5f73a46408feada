"""What the proof tells, for people and for programs."""

import json

import typer
from rich.markup import escape
from rich.text import Text

from orchestrator.cli.prove.proof import Proof
from orchestrator.cli.tables import console, print_table


def print_proof(proof: Proof, *, seed: int) -> None:
    """A table of what was expected and what was found, and one sentence."""
    on = console()
    on.print(f"\n{_story(proof)}\n", soft_wrap=True)
    rows = [
        (
            check.about if place == 0 or proof.checks[place - 1].about != check.about else "",
            check.what,
            Text(f"{check.expected:,}", justify="right"),
            Text(f"{check.found:,}", justify="right"),
            Text("✓", style="green") if check.holds else Text("✗", style="bold red"),
        )
        for place, check in enumerate(proof.checks)
    ]
    print_table(("", "what was counted", "expected", "found", ""), rows, on=on)
    broken = sum(not check.holds for check in proof.checks)
    if broken:
        on.print(f"[bold red]{broken} of {len(rows)} counts are not as they must be.[/] The seed was {seed}.")
        on.print(f"\nThe end of what the service said:\n{escape(proof.log)}", soft_wrap=True)
    else:
        on.print("[bold green]Nothing was lost, doubled or misordered.[/]")


def _story(proof: Proof) -> str:
    played, receiver = proof.played, proof.receiver
    return (
        f"{len(played.answered):,} messages in {proof.seconds:.1f} s by SMS, WhatsApp and phone: "
        f"{played.repeated:,} of them sent two or more times, {len(played.reported_early):,} reported delivered before "
        f"they came. {len(played.linked):,} customers were found to be one person with two phones while they wrote. "
        f"Timers of one and two minutes, by a clock that runs 60 times as fast, closed {proof.conversations:,} "
        f"conversations meanwhile and afterwards. Of {receiver.arrived:,} callbacks the receiver answered "
        f"{receiver.refused:,} with an error."
    )


def print_json(proof: Proof, *, seed: int) -> None:
    """The same as JSON."""
    shown = {
        "holds": proof.holds,
        "seed": seed,
        "messages": len(proof.played.answered),
        "seconds": round(proof.seconds, 1),
        "conversations": proof.conversations,
        "callbacks": proof.receiver.arrived,
        "checks": [
            {
                "about": check.about,
                "what": check.what,
                "expected": check.expected,
                "found": check.found,
                "holds": check.holds,
            }
            for check in proof.checks
        ],
    }
    typer.echo(json.dumps(shown, indent=2))
