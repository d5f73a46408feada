"""`orchestrator doctor`: each kind of finding is made where it should be, and none on an instance that is healthy."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.cli.doctor import callbacks, clocks, configurations, database, environment, report, rules
from orchestrator.cli.doctor.calls import voice_twice
from orchestrator.cli.doctor.database import Database
from orchestrator.cli.doctor.examination import Examination, Patient, examine, extraction_idle
from orchestrator.cli.doctor.findings import CODES, Finding, Severity, by_severity
from orchestrator.cli.doctor.seen import Configured, Seen
from orchestrator.cli.instance import Instance
from orchestrator.configurations.channels import LONGEST_TIMEOUT
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.secrets import SecretBox
from orchestrator.settings import Settings
from tests.cli.test_rotation import refused
from tests.support import traffic
from tests.support.app import ORIGIN, SECRET_KEY, Service
from tests.support.documents import ROOT
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import KIRAN, US, both_ways, channel

NOW = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
HOOK = "https://me:secret@hooks.example.com/a"
STORE = "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b"
TIMED = {"inactive": 10, "closed": 60}


def configured(number: int = 1, **changes: Any) -> Configured:
    body = configuration_body(memoryStoreId=STORE, statusCallbacks=[], memoryExtractionEnabled=False)
    return Configured({"id": f"c{number}", **body, **changes})


def seen(*found: Configured, **more: Any) -> Seen:
    return Seen(NOW, found, **{"numbers": frozenset({US}), **more})


def of_rules(*pairs: tuple[str, str], kind: str = "SMS", number: int = 1, **metadata: Any) -> Configured:
    return configured(number, channelSettings={kind: channel(*pairs, **metadata)})


def endpoint(state: str, **more: Any) -> dict[str, Any]:
    given = {"url": HOOK, "failures": 3, "pendingCount": 2, "until": "…", "lastError": "503", "state": state}
    return {**given, **more}


def settings(**given: Any) -> Settings:
    return Settings.model_construct(
        mode="production", public_url="https://a", sender="twilio", allow_insecure_callbacks=False, **given
    )


def active_call(configuration_id: str, *ends: str) -> dict[str, Any]:
    """A conversation whose participants have the SID of a call on their addresses."""
    addresses = [[{"channel": "VOICE", "address": end, "channelId": "CA1"}] for end in ends]
    participants = [{"addresses": one} for one in addresses]
    return {"id": "v", "configurationId": configuration_id, "participants": participants}


WILD = ("*", "*")
FULL = [configured(number, channelSettings={}) for number in range(10)]
TAKING = of_rules(*both_ways(), kind="VOICE")

FOUND: dict[str, Callable[[], Iterable[Finding]]] = {
    "no-configuration": lambda: configurations.number_of_configurations(seen()),
    "configurations-full": lambda: configurations.number_of_configurations(seen(*FULL)),
    "never-closes": lambda: configurations.never_closes(
        seen(configured(channelSettings={"SMS": {"statusTimeouts": None, "captureRules": [{"from": "*", "to": "*"}]}}))
    ),
    "store-missing": lambda: configurations.missing_stores(seen(configured(), stores_missing=frozenset({STORE}))),
    "extraction-idle": lambda: extraction_idle(seen(configured(memoryExtractionEnabled=True)), settings()),
    "one-way-rule": lambda: rules.one_way(seen(of_rules(("*", US)))),
    "shadowed-rule": lambda: rules.shadowed(seen(of_rules(("*", US), ("*", US)))),
    "captured-twice": lambda: rules.captured_twice(seen(of_rules(("*", US)), of_rules(WILD, number=2))),
    "everything-captured": lambda: rules.everything(seen(of_rules(WILD))),
    "number-not-registered": lambda: rules.unregistered(seen(of_rules(*both_ways("+16505550100")))),
    "voice-twice": lambda: voice_twice(seen(TAKING, conversations=(active_call("c2", KIRAN, US),) * 2)),
    "traffic-uncaptured": lambda: configurations.uncaptured(seen(uncaptured=({"trace": {"reason": "no rule"}},))),
    "profiles-unresolved": lambda: configurations.unresolved(seen(diagnostics=({"code": 530001},))),
    "callback-forbidden": lambda: callbacks.forbidden(
        seen(configured(statusCallbacks=[{"url": "http://a.example.com"}])), allow_insecure=False
    ),
    "endpoint-paused": lambda: callbacks.paused(seen(endpoints=(endpoint("PAUSED"),))),
    "endpoint-failing": lambda: callbacks.failing(seen(endpoints=(endpoint("OPEN"),))),
    "deliveries-dead": lambda: callbacks.dead(seen(dead=({"url": HOOK, "lastError": None, "lastStatus": 404},) * 2)),
    "worker-missing": lambda: callbacks.undelivered(
        seen(waiting=({"url": HOOK, "nextAttemptAt": "2026-02-03T08:58:00Z"},))
    ),
    "clock-skew": lambda: clocks.skewed(timedelta(seconds=-5)),
    "database-clock-skew": lambda: clocks.database_skewed(timedelta(hours=1)),
    "clock-turned": lambda: clocks.turned(seen(clock={"now": "…", "isFrozen": False, "aheadSeconds": 3600})),
    "postgres-old": lambda: database.postgres_version(120_017),
    "schema-missing": lambda: database.schema(None, "0011"),
    "schema-behind": lambda: database.schema("0010", "0011"),
    "schema-ahead": lambda: database.schema("0012", "0011"),
    "timers-late": lambda: database.timers(3),
    "secret-key-wrong": lambda: database.secret_key((SecretBox("one").encrypt("token"),), SecretBox("another")),
    "secret-key-weak": lambda: environment.of_settings(Settings(secret_key="changeme", mode="dev")),
    "signatures-off": lambda: environment.of_settings(settings(verify_signatures=False)),
    "signatures-off-in-dev": lambda: environment.of_settings(Settings(verify_signatures=False, mode="dev")),
    "public-url-http": lambda: environment.of_settings(settings().model_copy(update={"public_url": "http://a"})),
    "public-url-missing": lambda: environment.of_settings(settings().model_copy(update={"public_url": None})),
    "insecure-callbacks": lambda: environment.of_settings(
        settings().model_copy(update={"allow_insecure_callbacks": True})
    ),
    "sends-nothing": lambda: environment.of_settings(settings().model_copy(update={"sender": "loopback"})),
    "worker-elsewhere": lambda: environment.of_settings(settings(worker=False)),
    "python-old": lambda: environment.python_version((3, 10)),
    "package-old": lambda: environment.package_versions(["sqlalchemy[asyncio]>=2.1.9"], {"sqlalchemy": "2.1.8"}),
}
"""What makes each kind of finding, once and no other."""

ELSEWHERE = {
    "unreachable",
    "not-ready",
    "no-credentials",
    "credentials-refused",
    "look-failed",
    "callback-unreachable",
    "database-unreachable",
    "database-stopped",
    "secret-readable",
    "data-folder-writable",
}
"""Kinds that are made by what is really there: the other tests."""


@pytest.mark.parametrize("code", FOUND)
def test_each_kind_is_found(code: str) -> None:
    (finding,) = FOUND[code]()
    assert finding.code == code
    assert "secret@" not in finding.about + finding.message + finding.advice


def test_each_kind_is_tested_and_documented() -> None:
    assert set(FOUND) | ELSEWHERE == set(CODES)
    rows = re.findall(r"(?m)^\| `([\w-]+)` \| (\w+) \|", (ROOT / "docs" / "doctor.md").read_text())
    assert rows == [(code, severity.value) for code, severity in CODES.items()]


def not_found() -> Iterator[Iterable[Finding]]:
    """Checks of what looks similar, and is in order."""
    both = of_rules(*both_ways(), kind="VOICE")
    yield configurations.never_closes(seen(configured(channelSettings={"RCS": {"statusTimeouts": None}})))
    yield rules.one_way(seen(both, of_rules(WILD), of_rules(("*", US), WILD)))
    yield rules.shadowed(seen(both, of_rules(("*", US), ("*", KIRAN))))
    # Two numbers, a configuration for each: only a message from one to the other is in both.
    yield rules.captured_twice(seen(of_rules(*both_ways()), of_rules(*both_ways(KIRAN), number=2)))
    client = of_rules(("*", US), kind="VOICE", number=2, callType="CLIENT")
    yield rules.captured_twice(seen(both, client))
    yield rules.unregistered(seen(of_rules((KIRAN, US)), of_rules(WILD)))
    yield voice_twice(seen(TAKING, client, conversations=(active_call("c1", KIRAN, US), active_call("c2", KIRAN))))
    yield callbacks.failing(seen(endpoints=(endpoint("OPEN", failures=0),)))
    yield callbacks.undelivered(seen(waiting=({"url": HOOK, "nextAttemptAt": "2026-02-03T08:59:30Z"},)))
    late = {"url": HOOK, "nextAttemptAt": "2026-02-03T08:00:00Z"}
    yield callbacks.undelivered(seen(waiting=(late,), endpoints=(endpoint("PAUSED"),)))
    yield clocks.skewed(None)
    yield clocks.skewed(timedelta(seconds=-2))
    yield clocks.turned(seen(clock={"now": "…", "isFrozen": False, "aheadSeconds": 0}))
    yield database.judge(Database(150_004, timedelta(), None, overdue=0), None)
    yield environment.of_settings(settings())
    yield environment.of_settings(Settings(mode="dev"))
    required = ["a>=3.14", "b>=2; sys_platform != 'win32'", "c>=0.4; extra == 'x'", "d", "E_f>=1.10.0"]
    yield environment.package_versions(required, {"a": "3.14", "b": "2.0", "d": "1", "e-f": "1.10rc1"})
    yield environment.of_versions()


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = [finding for findings in not_found() for finding in findings]
    assert [one.code for one in found] == ["schema-missing"]  # which is what an empty database is


def test_an_inactive_time_alone_closes_nothing() -> None:
    only = {"statusTimeouts": {"inactive": 10, "closed": LONGEST_TIMEOUT}, "captureRules": [{"from": "*", "to": US}]}
    assert len(list(configurations.never_closes(seen(configured(channelSettings={"SMS": only}))))) == 1


async def look(service: Service, *, token: str = "", account: str = "", **more: Any) -> Examination:
    instance = Instance(ORIGIN, account or service.account.account_id, token or service.account.auth_token)
    given = {"has_credentials": True, "settings": None, "connects": False, **more}
    return await examine(Patient(instance, **given), transport=httpx.ASGITransport(service.app))


def codes(done: Examination) -> list[str]:
    return [finding.code for finding in by_severity(done.findings)]


async def test_a_healthy_instance_has_no_findings_but_that_it_is_new(service: Service, tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(SECRET_KEY)
    (tmp_path / "secret.key").chmod(0o600)
    here = service.settings.model_copy(update={"data_dir": tmp_path, "worker": True, "secret_key": None})
    done = await look(service, settings=here)
    # No worker runs in tests, so what others have left in this database may be overdue.
    assert [code for code in codes(done) if code != "timers-late"] == ["no-configuration"]
    assert len(done.looked_at) == 6
    await make_configuration(service)
    assert (await service.api.post("/orchestrator/v1/Numbers", json={"address": US})).status_code == 201
    await traffic.message(service, KIRAN, US)
    assert codes(await look(service)) == []


async def test_what_the_api_shows_is_judged(service: Service) -> None:
    store = configuration_body()["memoryStoreId"]
    await make_configuration(service, memoryStoreId=store, channelSettings={"SMS": channel(("*", US))})
    named = await make_configuration(
        service, channelSettings={"VOICE": channel()}, statusCallbacks=[{"url": "http://127.0.0.1:9/x"}]
    )
    await make_configuration(service, channelSettings={"VOICE": channel(*both_ways())})
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store}")).is_success
    await traffic.message(service, KIRAN, "+16505550100")
    await service.receive_transcript(KIRAN, US, "hello", ConversationConfiguration=named)
    done = await look(service, connects=True)
    assert codes(done) == [
        "store-missing",
        "one-way-rule",
        "number-not-registered",
        "voice-twice",
        "callback-unreachable",
        "traffic-uncaptured",
    ]


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A data folder whose permissions are wrong."""
    (tmp_path / "secret.key").write_text("x")
    tmp_path.chmod(0o777)
    return tmp_path


async def test_a_service_that_cannot_be_looked_at_is_told_and_the_rest_is_looked_at(open_folder: Path) -> None:
    here = Settings.model_construct(mode="dev", data_dir=open_folder, worker=False)
    instance = Instance("http://127.0.0.1:9", "AC", "x")
    done = await examine(Patient(instance, True, here))
    assert codes(done) == [
        "unreachable",
        "secret-readable",
        "data-folder-writable",
        "database-stopped",
        "worker-elsewhere",
    ]
    nowhere = here.model_copy(
        update={"database_url": "postgresql://x:hidden@127.0.0.1:9/x", "data_dir": open_folder / "a"}
    )
    done = await examine(Patient(instance, False, nowhere))
    assert codes(done)[:2] == ["unreachable", "database-unreachable"]
    assert "hidden" not in str(done.findings)


async def test_credentials_and_failures_are_told(service: Service) -> None:
    assert codes(await look(service, token="wrong")) == ["credentials-refused"]
    assert codes(await look(service, account=new_sid("AC"))) == ["credentials-refused"]
    assert codes(await look(service, has_credentials=False)) == []

    def answer(request: httpx.Request) -> httpx.Response:
        broken = {"/readyz": 503} if request.headers["authorization"].startswith("Basic eDo") else {}
        status = broken.get(request.url.path, 200 if "z" in request.url.path else 500)
        ours = {} if request.headers["authorization"].startswith("Basic ejo") else {"Twilio-Request-Id": "RQ1"}
        return httpx.Response(status, json={}, headers=ours)

    for name, code in (("x", "not-ready"), ("y", "look-failed"), ("z", "not-ready")):  # z asks another program
        patient = Patient(Instance(ORIGIN, name, ""), True, None)
        assert codes(await examine(patient, transport=httpx.MockTransport(answer))) == [code]


@pytest.mark.parametrize(("hours", "found"), [(0, []), (1, ["clock-skew"])])
async def test_the_clock_of_the_service_is_compared_with_this_one(hours: int, found: list[str]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        date = Clock().now() + timedelta(hours=hours)
        return httpx.Response(
            200, json={}, headers={"Date": format_datetime(date, usegmt=True), "Twilio-Request-Id": "RQ1"}
        )

    patient = Patient(Instance(ORIGIN, "", ""), False, None)
    assert codes(await examine(patient, transport=httpx.MockTransport(answer))) == found


def test_the_command_fails_on_errors_and_tells_them(tmp_path: Path) -> None:
    here: dict[str, Any] = {"data_dir": tmp_path, "port": 9, "verify_signatures": "false"}
    code, output = refused("doctor", **here)
    assert (code, "no-credentials" in output, "unreachable" in output) == (1, True, True)
    code, output = refused("doctor", "--json", **here)
    said = json.loads(output[output.index("{") :])
    assert (code, said["counts"]) == (1, {"error": 2, "warning": 0, "info": 2})


def test_findings_are_shown_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [next(iter(FOUND[code]())) for code in ("sends-nothing", "no-configuration", "signatures-off")]
    report.print_findings(Examination([*findings, *findings], ["this"]))
    shown = capsys.readouterr().out
    places = [shown.index(word) for word in ("signatures-off", "sends-nothing", "no-configuration", "Looked at this")]
    assert places == sorted(places)
    assert shown.endswith("1 error, 1 warning, 1 note.\n")
    assert Severity.ERROR.value in shown
