"""The lab around a device, beside the endpoints of single plans: the exchange at which it registers, and addresses."""
