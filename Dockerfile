# One image for the API and the workers, made from the two wheels; docker-compose.yml says which command each runs.
FROM python:3.11-slim-bookworm AS wheels
WORKDIR /sources
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . ./service

FROM python:3.11-slim-bookworm

# The C++ compiler builds simulated operators; bubblewrap isolates uploads and generated hardware. Debian keeps no old
# versions to pin.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make bubblewrap \
 && rm -rf /var/lib/apt/lists/*

# torch reads .pt2 uploads. PyPI has only its CUDA build for Linux; everything else comes from there, as pinned.
COPY requirements.txt /tmp/requirements.txt
COPY --from=wheels /wheels /tmp/wheels
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 \
 && pip install --no-cache-dir --constraint /tmp/requirements.txt /tmp/wheels/*.whl \
      "headrace-service[torch,gp,synthesis]" \
 && rm -r /tmp/wheels /tmp/requirements.txt

RUN useradd --create-home --uid 10001 headrace \
 && install -d -o headrace -g headrace /data

USER 10001
ENV HEADRACE_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8765
# -P: modules come from the environment, never from the working directory.
ENTRYPOINT ["python", "-P", "-m"]
