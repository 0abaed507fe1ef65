FROM python:3.12-slim
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY producers producers
COPY streams streams
COPY sinks sinks
COPY readbrief readbrief
RUN pip install --no-cache-dir . && useradd --create-home readbrief \
    && install --directory --owner=readbrief /var/lib/readbrief
USER readbrief
ENTRYPOINT ["readbrief"]
