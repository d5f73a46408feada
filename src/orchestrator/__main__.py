"""`python -m orchestrator` is the command `orchestrator`."""

from orchestrator.cli import app

app(prog_name="orchestrator")
