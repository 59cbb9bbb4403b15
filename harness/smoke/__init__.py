"""Whether a device can be called at all, before anything is judged."""
