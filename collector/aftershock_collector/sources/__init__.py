"""Sources of data: OTLP servers, scrapes, Prometheus queries, this host, recorded files."""
