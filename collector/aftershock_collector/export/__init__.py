"""What other stores receive: agent metrics, the activity log, and accepted OTLP passed on."""
