"""Evidence: verdicts judged again, certificates, dossiers and signatures, and reading those of strangers."""
