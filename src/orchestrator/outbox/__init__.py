"""Events leave through here: recorded with the change they tell of, delivered afterwards."""
