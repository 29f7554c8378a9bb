"""What the steps are written with: behave's decorators, and the kinds of words."""

import decimal

import behave
import parse
from behave import given, then, when

__all__ = ["given", "then", "when"]


@parse.with_pattern(r"[A-Z][a-z]+")
def name(text):
    return text


@parse.with_pattern(r"[a-z]+")
def product(text):
    """One of it and several."""
    return text.removesuffix("s")


@parse.with_pattern(r"\d+\.\d\d")
def money(text):
    return decimal.Decimal(text)


@parse.with_pattern(r"[A-Z_]+")
def code(text):
    return text


behave.register_type(Name=name, Product=product, Money=money, Code=code)
