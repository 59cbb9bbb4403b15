"""Redirect servers: they answer with 3xx what they could have sent on."""
