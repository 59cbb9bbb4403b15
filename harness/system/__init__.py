"""What the operating system gives: environment, locks, disk."""
