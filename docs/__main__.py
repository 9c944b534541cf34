"""`python -m docs`: write what the documentation repeats of the code, or check it."""

from __future__ import annotations

from docs.generate import main

if __name__ == "__main__":
    raise SystemExit(main())
