"""Review: past runs looked at again, to explain a finding or to try another policy."""
