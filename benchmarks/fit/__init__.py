"""Fits the weights of the verdict's terms to invented worlds whose truth is known."""
