"""Configurations in the console: read, made, changed with a preview, gone back to, deleted; and the numbers."""

import json
import re
from typing import Any

import pytest

from orchestrator.console.configuration_form import fields_of, settings_of, written
from tests.console.forms import fields_in
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import KIRAN, US

_RULES = [{"from": "*", "to": US}, {"from": US, "to": "*"}]


async def test_one_is_made_with_the_form_and_says_what_it_means(service: Service, browser: Browser) -> None:
    assert "No configuration yet." in await browser.page("/console/configurations")
    assert "Create it" in await browser.page("/console/configurations/new")
    path = await _made(browser)
    (one,) = await _all(service)
    assert one["channelSettings"]["SMS"] == {"statusTimeouts": {"inactive": 10, "closed": 60}, "captureRules": _RULES}
    assert one["channelSettings"]["CHAT"]["captureRules"] == [{"from": "*", "to": "agent"}]
    page = await browser.page(path)
    assert "One open conversation for each customer" in page
    assert f"<code>*</code> → <code>{US}</code>" in page
    assert f"/console/stores/{one['memoryStoreId']}" in page
    assert f'href="{path}"' in await browser.page("/console/configurations")


async def test_what_is_wrong_is_said_beside_its_field(service: Service, browser: Browser) -> None:
    wrong = await browser.send(
        "/console/configurations/new",
        how="fields",
        name="Support!",
        description="",
        grouping="GROUP_BY_PROFILE",
        store="nonsense",
        numbers="+1 650",
        **{"on.SMS": "on", "inactive.SMS": "soon", "on.CHAT": "on", "rules.CHAT": "* -> agent\nnothing"},
    )
    assert wrong.status_code == 400
    told = re.findall(r'<span class="wrong" id="([^"]+)-wrong"', wrong.text)
    assert {"name", "store", "inactive.SMS", "rules.CHAT"} <= set(told)
    for name in told:
        control = re.search(rf'<(?:input|textarea|select)[^>]* name="{re.escape(name)}"[^>]*>', wrong.text)
        assert control is not None
        assert f"{name}-wrong" in control[0]
        assert 'aria-invalid="true"' in control[0]
    assert 'value="Support!"' in wrong.text
    assert await _all(service) == []


async def test_a_change_is_looked_at_before_it_is_saved(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=[{"url": "https://hooks.example.com/old"}])
    path = f"/console/configurations/{configuration_id}"
    fields = fields_in(await browser.page(path + "/edit"))
    del fields["on.VOICE"]
    changed = fields | {"inactive.SMS": "20", "url.0": ""}
    preview = await browser.send(path + "/edit", **changed, step="preview")
    assert preview.status_code == 200
    for pointer in ("/channelSettings/SMS/statusTimeouts/inactive", "/channelSettings/VOICE", "/statusCallbacks"):
        assert f"<code>{pointer}</code>" in preview.text
    assert "2 would be gone" in preview.text
    assert "If-Match: &#34;1&#34;" in preview.text  # in the command that would save it
    assert [one["version"] for one in await _all(service)] == [1]
    again = await browser.send(path + "/edit", **fields_in(preview.text), step="again")
    assert fields_in(again.text) == changed | {"version": "1"}
    saved = await browser.send(path + "/edit", **fields_in(preview.text), step="save")
    assert (saved.status_code, saved.headers["location"]) == (303, path)
    (one,) = await _all(service)
    assert (one["version"], one["statusCallbacks"], list(one["channelSettings"])) == (2, [], ["SMS", "WHATSAPP"])


async def test_what_was_changed_in_between_is_not_overwritten(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service)
    path = f"/console/configurations/{configuration_id}"
    fields = fields_in(await browser.page(path + "/edit")) | {"name": "Mine"}
    await service.api.patch(f"/v2/ControlPlane/Configurations/{configuration_id}", json={"description": "theirs"})
    for step in ("preview", "save"):
        refused = await browser.send(path + "/edit", **fields, step=step)
        assert refused.status_code == 412
        assert "It was changed in between" in refused.text
        assert 'value="Mine"' in refused.text
        assert f"{path}/diff?from=1&amp;to=2" in refused.text
    (one,) = await _all(service)
    assert (one["displayName"], one["description"]) == ("Support", "theirs")
    onto = await browser.send(path + "/edit", **fields, onto="2", step="preview")
    assert "<code>/description</code>" in onto.text  # the preview shows that theirs would go


async def test_json_is_edited_with_the_same_preview(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service)
    path = f"/console/configurations/{configuration_id}/edit"
    common = {"how": "json", "version": "1", "step": "preview"}
    for text, told in (("{", "This is not JSON"), ("[]", "a JSON object"), ("[" * 500, "Too many"), ("{}", "/desc")):
        refused = await browser.send(path, **common, text=text)
        assert refused.status_code == 400
        assert told in refused.text.split('id="text-wrong"')[1]
    body = configuration_body(displayName="As JSON", memoryExtractionEnabled=True)
    preview = await browser.send(path, **common, text=json.dumps(body))
    assert "<code>/memoryExtractionEnabled</code>" in preview.text
    saved = await browser.send(path, **fields_in(preview.text), step="save")
    assert saved.status_code == 303
    assert [one["displayName"] for one in await _all(service)] == ["As JSON"]


async def test_versions_are_compared_and_gone_back_to(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service)
    path, api = f"/console/configurations/{configuration_id}", f"/v2/ControlPlane/Configurations/{configuration_id}"
    await service.receive_message(KIRAN, US)
    await service.api.patch(api, json={"statusCallbacks": [{"url": "https://hooks.example.com/x"}]})
    await service.api.patch(api, json={"description": "third"})
    versions = await browser.page(path + "/versions")
    assert versions.count('name="from"') == 3
    assert "<code>/statusCallbacks</code> added" in versions
    compared = await browser.page(path + "/diff?from=3&to=1")
    assert "1 deleted:" in compared
    assert "hooks.example.com/x" in compared
    assert "Everything that customers send us" in await browser.page(path + "/versions/1")
    preview = await browser.page(path + "/versions/1/rollback")
    assert "1 would be gone" in preview
    assert "1 open conversation keeps the version" in preview
    await service.api.patch(api, json={"description": "fourth"})
    late = await browser.send(path + "/versions/1/rollback", current="3")
    assert (late.status_code, "nothing was overwritten" in late.text) == (412, True)
    done = await browser.send(path + "/versions/1/rollback", **fields_in(late.text))
    assert (done.status_code, done.headers["location"]) == (303, path)
    (one,) = await _all(service)
    assert (one["version"], one["description"]) == (5, "Everything that customers send us")
    assert (await browser.http.get(path + "/diff?from=9")).text.count('class="refusal"') == 1
    assert (await browser.http.get(path + "/versions/x")).status_code == 404


async def test_one_is_deleted_when_nothing_of_it_is_open(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service)
    path = f"/console/configurations/{configuration_id}"
    await service.receive_message(KIRAN, US)
    asked = await browser.page(path + "/delete")
    assert "1 open:" in asked
    assert (await browser.send(path + "/delete", **fields_in(asked))).status_code == 409
    assert (await browser.send(path + "/delete", version="x")).status_code == 400
    (conversation,) = (await service.api.get("/v2/Conversations")).json()["conversations"]
    await service.api.patch(f"/v2/Conversations/{conversation['id']}", json={"status": "CLOSED"})
    gone = await browser.send(path + "/delete", **fields_in(asked))
    assert (gone.status_code, gone.headers["location"]) == (303, "/console/configurations")
    assert await _all(service) == []


async def test_the_rule_tester_says_why(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service)
    assert "What would happen?" in await browser.page("/console/explain")
    query = f"?from=%2B15551234567&to={US.replace('+', '%2B')}&channel=SMS"
    for path in ("/console/explain", f"/console/configurations/{configuration_id}"):
        landed = await browser.page(path + query)
        assert ">CAPTURED</span>" in landed
        assert "by the pair of addresses" in landed
        missed = await browser.page(path + "?from=%2B15551234567&to=%2B16505550000&channel=SMS&direction=INBOUND")
        assert ">UNCAPTURED</span>" in missed
        assert "differs in to" in missed
    wrong = await browser.http.get("/console/explain?to=%2B1&channel=FAX")
    assert 'id="channel-wrong"' in wrong.text
    assert (await service.api.get("/v2/Conversations")).json()["conversations"] == []


async def test_numbers_are_added_and_removed(service: Service, browser: Browser) -> None:
    assert "No number is registered." in await browser.page("/console/numbers")
    added = await browser.send("/console/numbers", address="whatsapp:" + US, label="Support")
    assert added.status_code == 303
    assert "whatsapp:" + US in await browser.page("/console/numbers")
    refused = await browser.send("/console/numbers", address="+1")
    assert (refused.status_code, 'id="address-wrong"' in refused.text) == (400, True)
    assert (await browser.send("/console/numbers/remove", address="whatsapp:" + US)).status_code == 303
    assert (await service.api.get("/orchestrator/v1/Numbers")).json()["numbers"] == []


async def test_a_conversation_with_settings_of_its_own_leads_to_no_configuration(
    service: Service, browser: Browser
) -> None:
    grouping = {"conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES"}
    made = (await service.api.post("/v2/Conversations", json={"configuration": grouping})).json()
    for path in ("/console", "/console/conversations", f"/console/conversations/{made['id']}"):
        assert '<span class="muted">none</span>' in await browser.page(path)


@pytest.mark.parametrize(
    "channels",
    [
        {},
        {"SMS": [*_RULES, {"from": "*", "to": "+1"}], "VOICE": _RULES},
        {"SMS": _RULES[::-1]},
        {"SMS": _RULES, "VOICE": []},
        {"SMS": _RULES, "CHAT": [{"from": "a -> b", "to": " x "}, {"from": "*", "to": "y\nz"}]},
        {"VOICE": [{"from": "*", "to": US, "metadata": {"callType": "CLIENT"}}], "EMAIL": [{"from": "{", "to": "*"}]},
    ],
    ids=["none", "shared", "other order", "without", "odd addresses", "metadata"],
)
def test_the_form_says_what_the_settings_say(channels: dict[str, Any]) -> None:
    settings = {
        **dict.fromkeys(("intelligenceConfigurationIds", "memoryExtractionEnabled", "conversationsV1Bridge")),
        **configuration_body(statusCallbacks=[{"url": "https://x.example", "method": "GET"}]),
        "channelSettings": {
            name: {"statusTimeouts": {"inactive": 1, "closed": 2} if rules else None, "captureRules": rules}
            for name, rules in channels.items()
        },
    }
    kept = settings_of(settings)
    assert written(fields_of(kept), kept) == kept


async def _made(browser: Browser) -> str:
    made = await browser.send(
        "/console/configurations/new",
        how="fields",
        name="Support",
        description="All of it",
        grouping="GROUP_BY_PROFILE",
        store="mem_store_01kgh3m8qce0m9x2t6v4b7r5zn",
        numbers=US,
        **{"on.SMS": "on", "inactive.SMS": "10", "closed.SMS": "60", "on.CHAT": "on", "rules.CHAT": "* -> agent"},
    )
    assert made.status_code == 303, made.text
    return made.headers["location"]


async def _all(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await service.api.get("/v2/ControlPlane/Configurations")).json()["configurations"]
    return found
