"""What brings data in: OTLP servers, scrapes, Prometheus queries, this host, recorded files."""
