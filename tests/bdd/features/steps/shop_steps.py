"""What the shop has and does."""

import datetime
import decimal

from bdd.words import given, then, when
from support import gateways, postgres, wait


def _available(context, product):
    return context.shop.stock(context.products[product]["sku"])["available"]


def _sell(context, product, price, stock):
    context.products[product] = context.shop.product(price, stock=stock, title=product.capitalize())


@given("a shop that sells")
def sells(context):
    for row in context.table:
        _sell(context, row["product"], decimal.Decimal(row["price"]), int(row["stock"]))


@given("the shop also sells {stock:d} {product:Product} for {price:Money}")
def also_sells(context, stock, product, price):
    _sell(context, product, price, stock)


@given("a flash sale of {product:Product} for {price:Money} that runs for an hour")
def long_sale(context, product, price):
    _begin_sale(context, product, price, datetime.timedelta(hours=1))


@given("a flash sale of {product:Product} for {price:Money} that runs for {seconds:d} seconds")
def short_sale(context, product, price, seconds):
    _begin_sale(context, product, price, datetime.timedelta(seconds=seconds))


def _begin_sale(context, product, price, time):
    sold = context.products[product]
    now = datetime.datetime.fromisoformat(postgres.value(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')"))
    begin = now + datetime.timedelta(seconds=0.3)
    context.sale = context.shop.must(201, context.shop.staff.post("/api/v1/flash-sales", {
        "productId": sold["productId"], "name": "Scenario", "startsAt": begin.isoformat(), "endsAt": (begin + time).isoformat(),
        "offers": [{"sku": sold["sku"], "price": price, "currency": "USD"}]}))
    _await_sale(context, "RUNNING")


def _await_sale(context, status):
    path = f"/api/v1/flash-sales/{context.sale['saleId']}"
    wait.until(lambda: context.shop.must(200, context.shop.staff.get(path))["status"] == status, 10, f"a sale that is {status}")


@when("the flash sale is over")
def sale_is_over(context):
    _await_sale(context, "ENDED")


@when("the shop ships the order of {name:Name}")
def ships(context, name):
    answer = context.people[name].change("fulfill", context.shop.staff)
    assert answer.status == 200, answer


@when("the shop tries to ship the order of {name:Name}")
def tries_to_ship(context, name):
    context.shop_answer = context.people[name].change("fulfill", context.shop.staff)


@when("the shop cancels the order of {name:Name}")
def cancels(context, name):
    answer = context.people[name].change("cancel", context.shop.staff)
    assert answer.status == 200, answer


@when("the shop has the money of the order of {name:Name}")
def has_the_money(context, name):
    order = context.people[name].order()
    answer = context.people[name].change("confirm-payment", context.shop.staff, {
        "amount": order["totalAmount"], "currency": order["currency"], "reference": f"statement-{name}"})
    assert answer.status == 200, answer


@when("the bank declines the card of {name:Name}")
def declines(context, name):
    gateways.tell(declineNext=1)
    context.people[name].change("pay")
    gateways.behave()


@when("the time to pay for the order of {name:Name} is over")
def time_is_over(context, name):
    # The clock is the database's, and a scenario does not wait for a quarter of an hour.
    postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() WHERE status = 'HELD' AND reservation_id = "
                     f"(SELECT coalesce(reservation_id, order_id) FROM orders.orders WHERE order_id = '{context.people[name].order_id}')")


@then("{count:d} {product:Product} can still be bought")
def can_still_be_bought(context, count, product):
    assert _available(context, product) == count, f"{_available(context, product)} can be bought"


@then("{count:d} {product:Product} can be bought again")
def can_be_bought_again(context, count, product):
    wait.until(lambda: _available(context, product) == count, 10, f"{count} of {product} on sale")


@then("the shop has {first:d} {one:Product} and {second:d} {other:Product} left")
def has_left(context, first, one, second, other):
    for count, product in ((first, one), (second, other)):
        stock = context.shop.stock(context.products[product]["sku"])
        assert (stock["onHand"], stock["reserved"]) == (count, 0), f"{product}: {stock}"


@then("the shop is refused")
def shop_is_refused(context):
    assert context.shop_answer.status == 409, context.shop_answer


@then("the bank has taken the money for the order of {name:Name} {count:d} time")
def taken(context, name, count):
    charged = gateways.charges(context.shop.tenant, context.people[name].order_id)
    assert charged == count, f"{charged} times"
