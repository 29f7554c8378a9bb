"""A page in a real browser sees its order paid: JavaScript's own WebSocket and EventSource, which can send no header, through the gateway."""

import json
import os
import pathlib
import unittest

from support import gateways, stack, wait
from support.browser import Browser
from support.shop import Shop

SUBSCRIBE = """
    const [order, token] = arguments;
    document.body.innerHTML = '<h1>Your order</h1><p id="state">connecting</p><ol id="events"></ol>';
    window.said = [];
    const socket = new WebSocket(`ws://${location.host}/ws/orders`, ['bivouac.orders.v1', `bearer.${token}`]);
    const show = text => { document.getElementById('state').textContent = text; };
    socket.onopen = () => { window.protocol = socket.protocol; socket.send(JSON.stringify({type: 'subscribe', orderId: order})); };
    socket.onerror = () => show('error');
    socket.onclose = event => { window.closeCode = event.code; };
    socket.onmessage = ({data}) => {
        const message = JSON.parse(data);
        window.said.push(message);
        if (message.type === 'snapshot') show(`${message.order.status} ${message.order.totalAmount} ${message.order.currency}`);
        if (message.type === 'event') {
            document.getElementById('events').innerHTML += `<li>${message.event.eventType}</li>`;
            if (message.event.payload.status) show(message.event.payload.status);
        }
    };
    window.socket = socket;"""
FOLLOW_SALES = """
    window.sales = [];
    const stream = new EventSource(`/sse/flash-sales?tenant=${arguments[0]}`);
    for (const name of ['snapshot', 'started', 'ended']) stream.addEventListener(name, event => window.sales.push([name, event.data]));"""
OPEN_ELSEWHERE = """
    const socket = new WebSocket(arguments[0], ['bivouac.orders.v1', `bearer.${arguments[1]}`]);
    window.outcome = null;
    socket.onopen = () => { window.outcome = 'open'; };
    socket.onerror = () => { window.outcome = 'refused'; };"""


class InABrowser(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        gateways.behave()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def shown(self):
        return self.browser.run("return document.getElementById('state').textContent")

    def test_an_order_is_seen_paid(self):
        product = self.shop.product(25.00, stock=10)
        order = self.shop.must(201, self.shop.order([(product["sku"], 2)]))
        # A page of the same host.
        self.browser.go(f"{stack.env('BV_GATEWAY_URL')}/healthz")
        self.browser.run(SUBSCRIBE, order["orderId"], self.shop.token())
        wait.until(lambda: self.shown() == "PENDING 50 USD", 20, "the order")
        self.assertEqual(self.browser.run("return window.protocol"), "bivouac.orders.v1")
        self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{order['orderId']}/pay", {}))
        wait.until(lambda: self.shown() == "PAID", 20, "the payment")
        if os.environ.get("BIVOUAC_SCREENSHOT"):
            pathlib.Path(os.environ["BIVOUAC_SCREENSHOT"]).write_bytes(self.browser.screenshot())
        self.browser.run("window.socket.close(1000)")
        self.assertEqual(wait.until(lambda: self.browser.run("return window.closeCode"), 10, "the end"), 1000)

    def test_sales_are_seen(self):
        self.browser.go(f"{stack.env('BV_GATEWAY_URL')}/healthz")
        self.browser.run(FOLLOW_SALES, self.shop.tenant)
        (name, data), = wait.until(lambda: self.browser.run("return window.sales"), 20, "what runs now")
        self.assertEqual((name, json.loads(data)), ("snapshot", {"sales": []}))

    def test_other_pages_may_not(self):
        address = stack.env("BV_GATEWAY_URL").replace("http:", "ws:") + "/ws/orders"
        # Another name is another page, though it leads to the same machine.
        self.browser.go(stack.env("BV_GATEWAY_URL").replace("127.0.0.1", "localhost") + "/healthz")
        self.browser.run(OPEN_ELSEWHERE, address, self.shop.token())
        self.assertEqual(wait.until(lambda: self.browser.run("return window.outcome"), 20, "an outcome"), "refused")


if __name__ == "__main__":
    unittest.main()
