"""The version of this distribution, as telemetry and the command line say it."""

from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """The installed version; 0 for a source tree that was never installed."""
    try:
        return version("aftershock")
    except PackageNotFoundError:
        return "0"


VERSION = installed()
