# The service in one image. Without ORCHESTRATOR_DATABASE_URL it runs its own PostgreSQL, with the data in /data.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/orchestrator
ENV PATH=/opt/orchestrator/bin:$PATH
WORKDIR /build
# The dependencies first: they change less often than the sources.
COPY requirements/run.txt requirements/run.txt
RUN pip install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN pip install --no-build-isolation --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin orchestrator \
    && install -d -m 700 -o orchestrator -g orchestrator /data
COPY --from=build /opt/orchestrator /opt/orchestrator
ENV PATH=/opt/orchestrator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORCHESTRATOR_DATA_DIR=/data \
    ORCHESTRATOR_MODE=production
USER orchestrator
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('ORCHESTRATOR_PORT', '8080') + '/readyz', timeout=4)"]
ENTRYPOINT ["orchestrator"]
CMD ["serve", "--host", "0.0.0.0"]
