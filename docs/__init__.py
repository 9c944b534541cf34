"""The documentation, and the code that writes its reference from the product's own code."""
