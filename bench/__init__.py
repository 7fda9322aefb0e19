"""Measures Gatehouse, beside the signature it cannot be faster than and beside its peers, in one run on one machine."""
