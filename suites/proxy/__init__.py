"""A proxy: where a request goes, what a 3xx or a 6xx of one branch does to the others, and what the caller is told."""
