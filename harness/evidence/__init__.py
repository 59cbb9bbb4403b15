"""Evidence that stands: verdicts judged again, certificates, dossiers, signatures - and the reading of a stranger's."""
