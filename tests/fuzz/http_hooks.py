"""What schemathesis needs beside the document: bytes in place of OTLP's protobuf."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies

from tests.fuzz.seeds import traces

BODIES = strategies.one_of(strategies.binary(max_size=200), strategies.sampled_from([*traces()]))
schemathesis.openapi.media_type("application/x-protobuf", BODIES)
