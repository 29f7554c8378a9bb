"""What `up` ends with: the addresses, and five things to try."""

import json

from . import credentials, specs
from .console import bold, dim, say
from .demo import ADDRESS, TOPIC
from .layout import GATEWAY_HTTP, KAFKA_CLIENTS, POSTGRES, REDIS


def show(stack, order_id):
    suffix = "" if stack.name == "dev" else f" --stack {stack.name}"
    gateway = f"http://{stack.address(GATEWAY_HTTP)}"
    say()
    say(bold("Addresses") + dim(f"   (all of them: tools/bv env{suffix})"))
    say(f"  {'REST':<12} {gateway}/api/v1")
    for line in specs.fleet(stack):
        say(f"  {line.name:<12} {stack.address(line.offset)}  {'HTTP' if line.node else 'gRPC'}, metrics on port {specs.metrics_port(stack, line.name)}")
    say(f"  {'PostgreSQL':<12} {stack.address(POSTGRES)}")
    say(f"  {'Redis':<12} {stack.address(REDIS)}")
    say(f"  {'Kafka':<12} {stack.address(KAFKA_CLIENTS)}")
    say()
    say(bold("Try"))
    address = json.dumps({name: value for name, value in ADDRESS.items() if value})
    say("  1. Order a stove by curl:")
    _command("curl -s " + gateway + "/api/v1/orders -H 'Content-Type: application/json' \\",
             f"  -H \"Authorization: Bearer $(tools/bv token --role CUSTOMER{suffix})\" \\",
             "  -H \"Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)\" \\",
             "  -d '{\"items\": [{\"sku\": \"STOVE-EMBER\", \"qty\": 1}], \"paymentMethod\": \"CARD\", \"email\": \"ada@example.com\",",
             f"       \"shippingAddress\": {address}}}' | jq")
    say("  2. Watch the events of orders as they come:")
    _command(f"kcat -C -q -b {stack.address(KAFKA_CLIENTS)} -t {TOPIC} -f '%k %s\\n'")
    say("  3. Prove that stock, orders and money add up:")
    _command(f"tools/bv check{suffix}")
    say("  4. Ask inventory over gRPC, as another service does:")
    _command(f".bv/tools/bin/grpcurl -plaintext -H 'x-tenant-id: {credentials.DEMO_TENANT}' -d '{{\"sku\": \"STOVE-EMBER\"}}' \\",
             f"  {stack.address(specs.grpc_offset('inventory'))} commerce.inventory.v1.Inventory/QueryStock")
    say("  5. See what the first order went through, span by span:")
    _command(f"tools/bv trace {order_id}{suffix}")
    say()


def _command(*lines):
    for line in lines:
        say(f"       {line}")
