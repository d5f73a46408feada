"""Looking for something in an account of which only a number or a few words are known."""
