"""How much an account's traffic is, minute by minute, and how its callbacks are doing."""
