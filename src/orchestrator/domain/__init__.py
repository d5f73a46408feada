"""The rules, pure: no clock, no I/O, no SQL. Everything here is a function of its arguments."""
