"""REST and OPTIMADE: the store, read and steered over HTTP."""
