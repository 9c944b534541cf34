"""Which process this is, so that a person can stop it; a fork has an identity of its own."""

from __future__ import annotations

import os
import socket
from collections import OrderedDict

from opentelemetry.sdk.resources import Resource

from aftershock.attributes import FINGERPRINT_KEY_ID, HOST_NAME, PROCESS_PID
from aftershock.fingerprints.keyed import key_id

KNOWN_MAX = 16  # one resource a process, and one more for each of its forks

# Id of a resource, process → the resource, kept so that the id stays its own, and ours.
_known: OrderedDict[tuple[int, int], tuple[Resource, Identified]] = OrderedDict()


class Identified(Resource):
    """A resource that knows its hash: exporters ask for it with every span, and it is all text."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.attributes, resource.schema_url)
        self._hashed = super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __hash__(self) -> int:
        return self._hashed


def identified(resource: Resource) -> Resource:
    """The resource with this host and this process in it, unless it names others."""
    key = id(resource), os.getpid()
    known = _known.get(key)
    if known is None:
        own: dict[str, str | int] = {HOST_NAME: socket.gethostname(), PROCESS_PID: key[1]}
        if key_id():
            own[FINGERPRINT_KEY_ID] = key_id()
        ours = Resource(own).merge(resource)
        known = _known[key] = resource, Identified(ours)
        if len(_known) > KNOWN_MAX:
            _known.popitem(last=False)
    return known[1]
