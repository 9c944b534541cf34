"""What tools may do and must know, what agents may spend, and what models cost. Pure."""
