"""The addresses of a stack as environment variables, for tests, scripts and a person's shell."""

from . import credentials, postgres, rabbitmq, registry, specs
from .layout import (GATEWAY_HTTP, HOST, KAFKA_CLIENTS, MOSQUITTO, OPA, PAYMENT_REST, PAYMENT_SOAP, POSTGRES, RABBITMQ, REDIS, REGISTRY_HTTP, SMTP, build_dir)


def variables(stack, preset="release"):
    password = credentials.password(stack, postgres.SUPERUSER)
    found = {
        "BV_STACK": stack.name,
        "BV_GATEWAY_URL": f"http://{stack.address(GATEWAY_HTTP)}",
        "BV_POSTGRES_URL": f"postgresql://{postgres.SUPERUSER}:{password}@{stack.address(POSTGRES)}/{postgres.DATABASE}",
        "BV_KAFKA_BROKERS": stack.address(KAFKA_CLIENTS),
        "BV_REDIS_URL": f"redis://{stack.address(REDIS)}/0",
        "BV_RABBITMQ_URL": f"amqp://{rabbitmq.USER}:{credentials.password(stack, credentials.RABBITMQ)}@{stack.address(RABBITMQ)}/",
        "BV_MQTT_ADDRESS": stack.address(MOSQUITTO),
        "BV_OPA_ADDRESS": stack.address(OPA),
        "BV_REGISTRY_URL": registry.url(stack.address(REGISTRY_HTTP)),
        "BV_PAYMENT_SOAP_URL": f"http://{stack.address(PAYMENT_SOAP)}/",
        "BV_PAYMENT_REST_URL": f"http://{stack.address(PAYMENT_REST)}/",
        "BV_SMTP_ADDRESS": stack.address(SMTP),
        "BV_MAILS_DIRECTORY": str(stack.dir / "mails"),
        "BV_JWKS_FILE": str(stack.jwks),
        "BV_BIN_DIR": str(build_dir(preset) / "bin"),
    }
    for line in specs.fleet(stack):
        name = line.name.upper().replace("-", "_")
        if line.node:
            found[f"BV_{name}_HTTP"] = stack.address(line.http)
        else:
            found[f"BV_{name}_GRPC"] = stack.address(line.offset)
        found[f"BV_METRICS_{name}"] = f"http://{HOST}:{specs.metrics_port(stack, line.name)}/metrics"
    return found
