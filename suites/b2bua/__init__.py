"""A device with two legs: what its caller gets to know of a redirection or a refusal."""
