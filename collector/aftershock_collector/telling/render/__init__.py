"""How a timeline looks: in a terminal, and as one self-contained page."""
