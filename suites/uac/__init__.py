"""A device that places calls: what it does when the answer is a redirection or a refusal."""
