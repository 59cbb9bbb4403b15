"""The rules for records: gate, waivers, profiles of requirements, expectations.  All of it is pure."""
