"""What a teacher does with a whole class: find what was handed in, grade it all, hand it back."""
