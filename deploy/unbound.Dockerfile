# The resolver that the checks ask.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends unbound dns-root-data \
    && rm -rf /var/lib/apt/lists/*
COPY unbound.conf /etc/unbound/unbound.conf
USER unbound
CMD ["unbound", "-d", "-c", "/etc/unbound/unbound.conf"]
