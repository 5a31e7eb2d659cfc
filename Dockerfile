# The image that work pools of type docker, ecs and kubernetes run: the project and its locked dependencies.
#
#   docker build --tag registry.example.com/penstock:$(git rev-parse --short HEAD) .
#
# `deployments.compile.IMAGE_PROJECT` is its folder, which the deployments' pull step enters.
FROM python:3.11-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 penstock

WORKDIR /opt/penstock
COPY requirements.lock ./
RUN python -m venv .uv \
    && .uv/bin/pip install --no-cache-dir uv \
    && .uv/bin/uv pip sync --system --no-cache --compile-bytecode --require-hashes requirements.lock

COPY --chown=penstock:penstock . .
# Editable, so that the project's files and its modules are one folder.
RUN .uv/bin/uv pip install --system --no-cache --no-deps --editable . \
    && rm -rf .uv \
    && chown penstock:penstock /opt/penstock

USER penstock
# State that must outlive a container (a folder as lake, a DuckDB file) belongs on a volume, or better on S3 and a server.
ENV PENSTOCK_PROJECT=/opt/penstock \
    PENSTOCK_HOME=/tmp/penstock \
    PYTHONUNBUFFERED=1
# Passes Prefect's SIGTERM on, so that a cancelled run ends by itself.
ENTRYPOINT ["tini", "-g", "--"]
