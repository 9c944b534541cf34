"""`python -m dashboards`: writes the dashboards, or checks them with --check."""

from __future__ import annotations

from dashboards.generate import main

raise SystemExit(main())
