"""The requirement catalogue, the conditions on it, its ruling, and the ledger of what is not tested."""
