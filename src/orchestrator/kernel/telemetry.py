"""What the service tells of itself: structured logs and metrics."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("orchestrator_requests", "HTTP requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("orchestrator_request_seconds", "Time to answer an HTTP request.", ["route"])
LANDINGS = Counter(
    "orchestrator_landings", "What became of provider messages.", ["channel", "outcome"]
)  # outcome: new, joined, reopened, duplicate, uncaptured, refused
BATCH_SIZE = Histogram(
    "orchestrator_ingest_batch_messages",
    "Messages written by one ingest transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
BATCH_RETRIES = Counter("orchestrator_ingest_batch_retries", "Ingest transactions that had to be repeated.")
TRANSITIONS = Counter("orchestrator_transitions", "Conversations moved by their timers.", ["to"])
ACTIONS = Counter(
    "orchestrator_actions", "What became of actions that were handed over.", ["outcome"]
)  # outcome: completed, failed, postponed
EXTRACTIONS = Counter(
    "orchestrator_extraction_jobs", "What became of extraction jobs that were worked on.", ["outcome"]
)  # outcome: completed, failed, postponed
DELIVERY_ATTEMPTS = Counter("orchestrator_delivery_attempts", "Status callbacks sent.", ["outcome"])
DELIVERIES_CLAIMED = Gauge("orchestrator_deliveries_in_flight", "Status callbacks being sent by this process.")
OUTBOX_LAG = Gauge(
    "orchestrator_outbox_lag_seconds", "Age of the oldest status callback that is due; paused endpoints left out."
)
ENDPOINTS_PAUSED = Gauge("orchestrator_endpoints_paused", "Endpoints of status callbacks that are paused.")


def configure_logs(*, json: bool, level: str) -> None:
    """Write structured logs to standard error, including those of libraries."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default shows local variables, and with them auth tokens.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    final = [structlog.processors.format_exc_info, renderer] if json else [renderer]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # httpx writes a line per request, with the whole URL: those of callbacks may hold secrets.
    for noisy in ("alembic", "aiohttp.access", "uvicorn.access", "asyncio", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
