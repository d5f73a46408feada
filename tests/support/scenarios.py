"""A scenario for tests to add to, and a file of it."""

from pathlib import Path

STORY = """
title: A message comes
description: And that is all.
given:
  phones: {kiran: "+15551234567", shop: "+16505550199"}
  configurations:
    support:
      conversationGroupingType: GROUP_BY_PARTICIPANT_ADDRESSES
      channelSettings: {SMS: {captureRules: [{from: "*", to: "{{shop}}"}]}}
steps:
  - send: {channel: SMS, from: kiran, to: shop, text: hello}
    as: first
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(text)
    return file
