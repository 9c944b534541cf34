"""Orders to agents, tickets of approval, and what an agent should know before it acts."""
