# The gateway in production: one image for `serve`, `worker` and `migrate`. With tracing:
#   docker build --build-arg REQUIREMENTS=requirements-tracing.txt .
FROM python:3.11-slim AS build
ARG REQUIREMENTS=requirements.txt
COPY scripts/requirements.txt scripts/requirements-tracing.txt scripts/requirements-sqlite.txt /tmp/
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir \
    --no-deps --require-hashes --only-binary :all: -r "/tmp/$REQUIREMENTS" -r /tmp/requirements-sqlite.txt
COPY app /gateway/app
RUN /venv/bin/python -m compileall -q /venv /gateway

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/gateway gateway
COPY --from=build /venv /venv
COPY --from=build /gateway /gateway
# Nothing is written but STATE_DIR (which PostgreSQL and SMTP leave empty) and /tmp: the root may be read-only.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PROFILE=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    STATE_DIR=/var/lib/gateway
WORKDIR /gateway
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=2)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
