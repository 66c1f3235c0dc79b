"""What is special about tickets and cannot be said in YAML."""
