"""Global optimisers of one protocol: they ask for starting points and are told the minima below them."""
