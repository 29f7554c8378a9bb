"""What customers do and see."""

from bdd.words import given, then, when
from support import wait


def _sku(context, product):
    return context.products[product]["sku"]


@when("{name:Name} looks at the {product:Product}")
def looks_at(context, name, product):
    found = context.people[name].client.get(f"/api/v1/products?title={product}").json["products"]
    assert len(found) == 1, f"{len(found)} products"
    (context.seen,) = found[0]["variants"]


@then("it costs {price:Money} {currency:Code} and {count:d} of it can be bought")
def it_costs(context, price, currency, count):
    assert (context.seen["price"], context.seen["currency"]) == (price, currency), context.seen
    assert context.shop.stock(context.seen["sku"])["available"] == count


@when("{name:Name} puts {qty:d} {product:Product} into her cart")
def puts_into_cart(context, name, qty, product):
    context.people[name].put_into_cart(_sku(context, product), qty)


@then("the cart of {name:Name} costs {total:Money} {currency:Code}")
def cart_costs(context, name, total, currency):
    cart = context.people[name].cart()
    assert (cart["totalAmount"], cart["currency"]) == (total, currency), cart


@when("{name:Name} orders what is in her cart")
def orders_cart(context, name):
    person = context.people[name]
    answer = person.place([], cartId=person.cart_id)
    assert answer.status == 201, answer


@when("{name:Name} orders {qty:d} {product:Product}")
def orders(context, name, qty, product):
    context.people[name].place([(_sku(context, product), qty)])


@given("{name:Name} has ordered {qty:d} {product:Product}")
def has_ordered(context, name, qty, product):
    answer = context.people[name].place([(_sku(context, product), qty)])
    assert answer.status == 201, answer


@when("{name:Name} orders {qty:d} {product:Product} and {other_qty:d} {other:Product}")
def orders_both(context, name, qty, product, other_qty, other):
    context.people[name].place([(_sku(context, product), qty), (_sku(context, other), other_qty)])


@when("{name:Name} orders {qty:d} {product:Product} under the key {key}")
def orders_under_key(context, name, qty, product, key):
    context.people[name].place([(_sku(context, product), qty)], f"{context.shop.tenant}-{key}")


@when("{name:Name} orders {qty:d} {product:Product} and pays by {way:Code}")
def orders_and_pays_by(context, name, qty, product, way):
    answer = context.people[name].place([(_sku(context, product), qty)], paymentMethod=way)
    assert answer.status == 201, answer


@then("{name:Name} orders {qty:d} {product:Product} in vain")
def orders_in_vain(context, name, qty, product):
    answer = context.people[name].place([(_sku(context, product), qty)])
    assert (answer.status, answer.json["code"]) == (409, "OUT_OF_STOCK"), answer


@when("{name:Name} pays")
def pays(context, name):
    answer = context.people[name].change("pay")
    assert answer.status == 200, answer


@when("{name:Name} tries to pay again")
def tries_to_pay(context, name):
    context.people[name].change("pay")


@given("{name:Name} has paid")
def has_paid(context, name):
    pays(context, name)


@when("{name:Name} cancels her order")
def cancels(context, name):
    context.people[name].change("cancel")


@then("{name:Name} has an order")
def has_an_order(context, name):
    assert [order["orderId"] for order in context.people[name].orders()] == [context.people[name].order_id]


@then("{name:Name} has no order")
def has_no_order(context, name):
    assert context.people[name].orders() == []


@then("{name:Name} is refused")
def is_refused(context, name):
    answer = context.people[name].answer
    assert 400 <= answer.status < 500, answer


@then("{name:Name} is refused because of {code:Code}")
def is_refused_because(context, name, code):
    answer = context.people[name].answer
    assert 400 <= answer.status < 500 and answer.json["code"] == code, answer


@then("{name:Name} is refused because of {code:Code} in {field}")
def is_refused_for_field(context, name, code, field):
    is_refused_because(context, name, code)
    assert context.people[name].answer.json["field"] == field, context.people[name].answer


@then("both answers tell of the same order")
def same_order(context):
    first, second = context.people["Ada"].answers[-2:]
    assert (first.status, second.status) == (201, 201), second
    assert first.json["orderId"] == second.json["orderId"], second


@then("the second answer says that it is a repeat")
def is_a_repeat(context):
    first, second = context.people["Ada"].answers[-2:]
    assert (first.headers["Idempotency-Replayed"], second.headers["Idempotency-Replayed"]) == (None, "true")


@then("the order of {name:Name} costs {total:Money} {currency:Code}")
def order_costs(context, name, total, currency):
    order = context.people[name].order()
    assert (order["totalAmount"], order["currency"]) == (total, currency), order


@then("the order of {name:Name} is {status:Code} with its payment {payment:Code}")
def order_is(context, name, status, payment):
    order = context.people[name].order()
    assert (order["status"], order["paymentStatus"]) == (status, payment), order


@then("the order of {name:Name} is {status:Code} and {fulfillment:Code}")
def order_is_shipped(context, name, status, fulfillment):
    order = context.people[name].order()
    assert (order["status"], order["fulfillmentStatus"]) == (status, fulfillment), order


@then("the order of {name:Name} becomes {status:Code}")
def order_becomes(context, name, status):
    wait.until(lambda: context.people[name].order()["status"] == status, 20, f"an order that is {status}")
