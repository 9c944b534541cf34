"""The collector as one process: what is wired to what, the worker thread, and replay of files."""
