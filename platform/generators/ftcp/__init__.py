"""FTCP: crystals from a latent space learnt together with their properties (Ren et al., Matter 5, 314, 2022)."""
