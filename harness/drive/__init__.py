"""Driving: from plans to flows.  It starts endpoints, makes the device call and records; it judges nothing."""
