"""CCDCGAN: a generative adversarial network on crystal graphs, drawn to wanted properties by frozen models of them.

After Long et al., "Constrained crystals deep convolutional generative adversarial network for the inverse design of
crystal structures", npj Comput. Mater. 7, 66 (2021), and its extension to multicomponent systems.
"""
