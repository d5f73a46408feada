"""What a service in dev mode offers its developers: a clock that can be turned."""
