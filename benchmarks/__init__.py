"""Measurements that anybody can repeat: `make bench`. Loopback only; each ends by itself."""
