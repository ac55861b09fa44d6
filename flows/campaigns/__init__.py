"""A campaign in the store: launched, resolved, read, steered and ended."""
