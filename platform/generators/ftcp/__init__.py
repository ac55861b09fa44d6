"""FTCP: crystals from a latent space learned together with their properties (Ren et al., Matter 5, 314, 2022)."""
