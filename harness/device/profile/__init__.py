"""A device's profile: one TOML file as typed, frozen data, and every error that it can hold."""
