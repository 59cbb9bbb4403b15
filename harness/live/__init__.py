"""What a person sees and is asked while a run goes on."""
