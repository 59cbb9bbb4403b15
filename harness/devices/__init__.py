"""The built-in devices: one folder each, with its profile and configuration."""
