# One image for the API and the workers; docker-compose.yml says which command each runs.
FROM python:3.11-slim-bookworm

# The C++ compiler builds simulated operators; bubblewrap isolates uploads and generated hardware.
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make bubblewrap \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home --uid 10001 headrace \
 && install -d -o headrace -g headrace /data

USER headrace
ENV HEADRACE_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8765
ENTRYPOINT ["python", "-m"]
