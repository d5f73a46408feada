"""An event in a few words, for people."""

from typing import Any

from orchestrator.cli.words import plain, quoted


def told(event: dict[str, Any]) -> str:
    """What happened, beyond the type that every line has anyhow."""
    data = event["data"]
    if "author" in data:
        return _communication(data)
    return _participant(data) if "addresses" in data else _conversation(data)


def _communication(data: dict[str, Any]) -> str:
    author, recipients = data["author"], data["recipients"]
    to = ", ".join(plain(one["address"]) for one in recipients)
    status = next((one["deliveryStatus"] for one in recipients if one.get("deliveryStatus")), None)
    text = quoted(data["content"]["text"])
    return f"{author['channel']} {plain(author['address'])} → {to}: {text}" + (f" {status}" if status else "")


def _participant(data: dict[str, Any]) -> str:
    addresses = ", ".join(f"{one['channel']} {plain(one['address'])}" for one in data["addresses"])
    name = plain(data["name"])
    shown = addresses if not name or name in addresses else f"{name}, {addresses}"
    return f"{data['type']} {shown}" + (f", {data['profileId']}" if data["profileId"] else "")


def _conversation(data: dict[str, Any]) -> str:
    return f"{data['status']} {quoted(data['name'])}" if data["name"] else str(data["status"])
