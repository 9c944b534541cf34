"""OTLP: bytes ↔ spans, log events and samples, both ways."""
