"""What a check asks for: worlds, calls of the program, points."""
