"""What is durable: one SQLite file, its schema, its writer, its readers, and the outbox."""
