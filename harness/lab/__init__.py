"""What a lab has beside the endpoints of single plans: the exchange that a device is registered with, and addresses."""
