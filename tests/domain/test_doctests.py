"""The examples in the domain's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

from orchestrator import domain


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(domain.__path__)])
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(f"{domain.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
