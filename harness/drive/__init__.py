"""Driving: turns plans into flows.  It starts endpoints, makes the device call, and records.  It judges nothing."""
