"""`looplab watch`: grades on every save and shows what to do next."""
