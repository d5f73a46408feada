"""Time passes: conversations whose deadline has come move on, and what is past its keeping is thrown away."""
