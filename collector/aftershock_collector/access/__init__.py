"""Who may send, read, answer and control: hosts, origins, tokens, certificates, rate limits."""
