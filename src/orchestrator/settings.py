"""Every setting of the service, read from environment variables `ORCHESTRATOR_…`; the defaults run on a laptop."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from orchestrator.domain.backoff import DEFAULT_DELAYS, Backoff
from orchestrator.domain.linking import Linking
from orchestrator.domain.pausing import DEFAULT_PAUSES, Pausing


class Settings(BaseSettings):
    """Settings of one process. Composition roots read them once and hand values down."""

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        None,
        description="The origin that clients and providers use, such as https://orchestrator.example.com. "
        "Signatures are checked against it. Default: the request's own scheme and host.",
    )
    mode: Literal["dev", "production"] | None = Field(
        None, description="`dev` relaxes what only matters on a laptop. Default: dev with the embedded store."
    )
    log_format: Literal["json", "text"] | None = Field(None, description="Default: text in dev mode, else json.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    data_dir: Path = Field(
        Path(".orchestrator"), description="Holds the embedded Postgres, first-start credentials and the secret key."
    )
    database_url: str | None = Field(
        None, description="postgresql://… of a server of your own (13 or newer). Default: embedded Postgres."
    )
    database_pool_size: int = Field(10, ge=2, description="Most connections to Postgres per process.")
    secret_key: SecretStr | None = Field(
        None, description="Encrypts auth tokens at rest. Default: made at first start, kept in the data folder."
    )
    old_secret_key: SecretStr | None = Field(
        None,
        description="The secret key before this one, while it is being changed: decrypts what "
        "`orchestrator accounts rekey` has not yet encrypted anew.",
    )

    account_sid: str | None = Field(None, pattern=r"^AC[0-9a-fA-F]{32}$", description="Account made at first start.")
    auth_token: SecretStr | None = Field(None, description="Its auth token; made at first start when not given.")

    verify_signatures: bool = Field(True, description="Refuse provider traffic whose X-Twilio-Signature is wrong.")
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="Largest request body in bytes.")
    batch_size: int = Field(64, ge=1, le=1000, description="Most messages that one ingest transaction carries.")
    ingest_lanes: int = Field(2, ge=1, le=16, description="Ingest transactions that a process has open at once.")
    link_phone_and_whatsapp: bool = Field(
        True, description="A WhatsApp number that no profile has is recognised by the phone number it is."
    )
    match_number_variants: bool = Field(
        True,
        description="A number of Brazil, Argentina or Mexico that no profile has is recognised by its other written "
        "form.",
    )
    strict_put: bool = Field(
        False,
        description="A PUT or PATCH of a configuration that would delete fields which it does not name is refused, "
        "unless its header Orchestrator-Strict or `orchestrator accounts strict` says otherwise.",
    )
    passive_profile_creation: bool = Field(
        True, description="A captured customer whom no profile matches gets a new profile."
    )
    merged_profile_reads: Literal["redirect", "serve"] = Field(
        "redirect",
        description="How reads of a profile that was merged into another are answered: by a redirect to the "
        "other (301, 308), or at once, for clients that follow no redirects. Canonical-Profile-Id names the other.",
    )
    embedder: Literal["wordllama"] | None = Field(
        None,
        description="What compares memories with a query by meaning, beside its words: `wordllama` needs the extra "
        "`embeddings`. Default: nothing does.",
    )
    uncaptured_retention_days: int = Field(7, ge=0, description="How long traces of uncaptured traffic are kept.")
    diagnostic_retention_days: int = Field(
        30, ge=0, description="How long it is kept what went wrong with customers' profiles."
    )
    event_retention_days: int = Field(
        30, ge=1, description="How long events are kept; longer while one of them is still to be delivered."
    )
    delivery_retention_days: int = Field(
        30, ge=1, description="How long it is kept that an event was delivered, or could not be."
    )
    callback_silent_days: int = Field(
        5,
        ge=1,
        description="How long an endpoint may fail without a break before what waits for it is given up (DEAD).",
    )
    attempt_retention_days: int = Field(7, ge=1, description="How long single attempts to deliver are kept.")
    receipt_retention_days: int = Field(30, ge=1, description="How long a provider's message id is remembered.")

    clock_start: AwareDatetime | None = Field(
        None, description="When a clock with another speed was right; the same for all processes of one database."
    )
    clock_speed: int = Field(
        1,
        ge=1,
        le=1000,
        description="To try out timers, in dev mode only: at 60, a timeout of one minute is over after a second. Needs "
        "`ORCHESTRATOR_CLOCK_START`.",
    )

    console: bool = Field(
        True, description="Serve the console at `/console`, for people with the account's credentials."
    )
    worker: bool = Field(True, description="Run the background loops (callbacks, timers) inside `serve`.")
    sweep_interval: float = Field(1.0, gt=0, description="Seconds between looks for conversations that are due.")
    deliver_interval: float = Field(0.25, gt=0, description="Seconds between looks for callbacks that are due.")
    deliver_concurrency: int = Field(
        256,
        ge=1,
        description="Callbacks being sent at once per process. Those that have waited a second for their answer do not "
        "count; with them, there are at most four times as many.",
    )
    callback_endpoint_concurrency: int = Field(
        32, ge=1, description="The most of them for one endpoint, which is a URL of an account."
    )
    allow_insecure_callbacks: bool | None = Field(
        None, description="Admit http and private hosts as status callbacks. Default: on in dev mode, else off."
    )
    callback_order: Literal["bounded", "strict", "parallel"] = Field(
        "bounded", description="Whether a failing callback holds up the later events of its conversation."
    )
    callback_retry_delays: Annotated[tuple[float, ...], NoDecode] = Field(
        DEFAULT_DELAYS, description="Seconds between the attempts of a callback, comma-separated."
    )
    callback_pause_failures: int = Field(
        10, ge=1, description="An endpoint is paused when so many attempts have failed, one after the other …"
    )
    callback_pause_seconds: float = Field(60.0, ge=0, description="… over at least so many seconds.")
    callback_pauses: Annotated[tuple[Annotated[float, Field(gt=0)], ...], NoDecode] = Field(
        DEFAULT_PAUSES,
        min_length=1,
        description="Seconds of the first pause, of the second, and so on, comma-separated; the last is that of all "
        "further ones. After each, one delivery is tried.",
    )
    callback_signature_algorithm: Literal["HMAC_SHA1", "HMAC_SHA256"] = Field(
        "HMAC_SHA1",
        description="Of X-Twilio-Signature on callbacks. HMAC_SHA256 signs with a shared key in place of the auth "
        "token, which only recent validators can check.",
    )
    callback_standard_webhooks: bool = Field(
        False, description="Sign callbacks by the Standard Webhooks scheme too, with `webhook-…` headers."
    )
    callback_connect_timeout: float = Field(
        5.0, gt=0, le=60, description="Seconds to wait for a callback's connection."
    )
    callback_read_timeout: float = Field(15.0, gt=0, le=300, description="Seconds to wait for a callback's answer.")

    sender: Literal["loopback", "twilio"] = Field(
        "loopback",
        description="Who sends messages: nobody (`loopback`: they are captured and count as delivered), "
        "or Twilio's Messages API with the account's SID and auth token.",
    )
    twilio_api_url: str = Field(
        "https://api.twilio.com",
        pattern=r"^https?://[^/]",
        description="Origin of the API that `twilio` sends through.",
    )
    perform_interval: float = Field(
        0.25, gt=0, description="Seconds between looks for actions and messages that are due."
    )
    perform_concurrency: int = Field(16, ge=1, description="Messages being sent at once per process.")

    extractor_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+([/?]|$)",
        description="Where what was said is sent once a conversation with `memoryExtractionEnabled` is INACTIVE or "
        "CLOSED, to be told what is worth remembering (`docs/extraction.md`). Default: nothing is extracted.",
    )
    extractor_token: SecretStr | None = Field(None, description="Sent there as `Authorization: Bearer …`.")
    extractor_timeout: float = Field(60.0, gt=0, le=600, description="Seconds to wait for the extractor's answer.")
    extractor_retry_delays: Annotated[tuple[float, ...], NoDecode] = Field(
        (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0),
        description="Seconds between the attempts of an extraction, comma-separated.",
    )
    extract_interval: float = Field(1.0, gt=0, description="Seconds between looks for extractions that are due.")
    extract_concurrency: int = Field(8, ge=1, description="Extractions in flight per process.")
    digest_summaries: bool = Field(
        False,
        description="Without an extractor, a closed conversation leaves a summary of who said how much, with the "
        "first and the last words.",
    )

    @field_validator("callback_retry_delays", "callback_pauses", "extractor_retry_delays", mode="before")
    @classmethod
    def _split_delays(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @field_validator("clock_speed")
    @classmethod
    def _only_in_dev_mode(cls, value: int, info: ValidationInfo) -> int:
        given = info.data
        if value != 1 and (given.get("mode") or ("production" if given.get("database_url") else "dev")) != "dev":
            raise ValueError("only a service in dev mode (ORCHESTRATOR_MODE=dev) may have a fast clock")
        if value != 1 and given.get("clock_start") is None:
            raise ValueError("a fast clock needs ORCHESTRATOR_CLOCK_START too")
        return value

    @property
    def linking(self) -> Linking:
        return Linking(phone_and_whatsapp=self.link_phone_and_whatsapp, number_variants=self.match_number_variants)

    @property
    def is_dev(self) -> bool:
        return (self.mode or ("dev" if self.database_url is None else "production")) == "dev"

    @property
    def admits_insecure_callbacks(self) -> bool:
        return self.is_dev if self.allow_insecure_callbacks is None else self.allow_insecure_callbacks

    @property
    def writes_json_logs(self) -> bool:
        return (self.log_format or ("text" if self.is_dev else "json")) == "json"

    @property
    def backoff(self) -> Backoff:
        return Backoff(delays=self.callback_retry_delays)

    @property
    def pausing(self) -> Pausing:
        return Pausing(self.callback_pause_failures, self.callback_pause_seconds, self.callback_pauses)
