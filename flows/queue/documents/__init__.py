"""FireWorks' collections, queried here alone: `fireworks`, `launches`, `workflows`, and the `rows` that they give."""
