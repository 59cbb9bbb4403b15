"""Evidence: judging verdicts again, certificates, dossiers, signatures, and verifying dossiers of strangers."""
