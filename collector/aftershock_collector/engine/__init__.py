"""Steps to Reports: the state of every live run, and what crosses runs. Pure."""
