"""Values and how they are written: text, times, words, failures, seeds; and work done side by side."""
