"""The policy of the scenarios in which a deployment is scaled: what must be known before."""

from __future__ import annotations

from aftershock.policy.policy import Policy

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale_deployment": {
                "tier": "provision",
                "targets": [{"service.name": "{name}"}],
                "requires": [
                    {"fact": "maintenance_window", "subject": "prod", "max_age": "10m"},
                    {"fact": "replicas", "subject": "{name}"},
                ],
            },
            "get_calendar": {
                "provides": [{"fact": "maintenance_window", "subject": "{environment}"}]
            },
            "get_deployment": {"provides": [{"fact": "replicas", "subject": "{name}"}]},
        }
    }
)
