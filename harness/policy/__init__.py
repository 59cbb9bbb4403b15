"""What a pipeline or a certificate asks of records: gate, waivers, profiles, expectations.  Pure."""
