"""What a run leaves behind: its folder, the verdict stream, stored runs read back."""
