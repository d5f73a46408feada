"""Forms of a page, as a browser would send them."""

import html
import re


def fields_in(page: str) -> dict[str, str]:
    """What a browser would send of the first form that posts, but for the buttons and the token."""
    form = re.split(r'<form[^>]* method="post"', page.split("<main")[1])[1].split("</form>")[0]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]+>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") != "checkbox" or " checked" in tag:
            found[given["name"]] = html.unescape(given.get("value", ""))
    for name, value in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', form):
        found[name] = html.unescape(value)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", options)
        first = re.search(r"<option(?: value=\"([^\"]*)\")?>([^<]*)", options)
        picked = chosen or first
        assert picked is not None
        found[name] = picked[2] if picked[1] is None else picked[1]
    found.pop("formToken", None)
    return found
