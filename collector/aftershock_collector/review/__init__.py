"""Review: past runs judged again, to explain a finding or to try another policy."""
