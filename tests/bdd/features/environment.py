"""What every scenario has: a shop of its own, customers by their names, and payment gateways that do as they should."""

from bdd.people import People
from support import gateways, stack
from support.shop import Shop


def before_all(_context):
    stack.await_ready()


def before_scenario(context, _scenario):
    context.shop = Shop()
    context.people = People(context.shop)
    context.products = {}
    gateways.behave()


def after_scenario(context, _scenario):
    gateways.behave()
    context.people.close()
    context.shop.close()
