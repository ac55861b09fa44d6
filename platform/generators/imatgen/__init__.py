"""iMatGen: crystals of two elements from images, by a variational autoencoder with a stability classifier.

Noh et al., "Inverse design of solid-state materials via a continuous representation", Matter 1, 1370 (2019).
"""
