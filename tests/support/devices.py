"""Devices that report stock over MQTT, as a stock client (Eclipse Paho)."""

import json
import subprocess
import sys

import paho.mqtt.client as paho
import paho.mqtt.properties as properties
from paho.mqtt.packettypes import PacketTypes

from support import stack, wait

NOT_AUTHORIZED = 0x87


def add(tenant, device, *skus):
    """An account at the broker, by the operator's tool; returns its password."""
    done = subprocess.run([sys.executable, "-B", str(stack.BV), "device", "add", f"{tenant}/{device}", "--sku", *skus, "--stack", stack.env("BV_STACK")],
                          stdout=subprocess.PIPE, check=True, text=True, timeout=60)
    return done.stdout.strip()


def topic(sku):
    return f"iot/inventory/{sku}/delta"


class Device:
    """One connection, which is made again when it is lost; what is not acknowledged is then sent again, as the protocol wants it. `connect_answer` is the
    reason code of the last one."""

    def __init__(self, tenant, name, password, will=None):
        host, port = stack.env("BV_MQTT_ADDRESS").rsplit(":", 1)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"{tenant}-{name}", protocol=paho.MQTTv5)
        self._client.username_pw_set(f"{tenant}/{name}", password)
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(50)
        self._answers = {}
        self.connect_answer = None
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        if will:
            self._client.will_set(*will, qos=1)
        self._client.connect(host, int(port), clean_start=paho.MQTT_CLEAN_START_FIRST_ONLY,
                             properties=_connect_properties())
        self._client.loop_start()
        wait.until(lambda: self.connect_answer is not None, 30, "an answer of the broker", every=0.01)

    def _on_connect(self, _client, _user, _flags, reason, _properties):
        self.connect_answer = reason.value

    def _on_publish(self, _client, _user, number, reason, _properties):
        self._answers[number] = reason.value

    def hand(self, sku, delta, identity=None, reason="SENSOR", **user_properties):
        """Hands a report over, and returns what to ask `answer` with."""
        body = {"delta": delta, "reason": reason, **({"id": identity} if identity else {})}
        return self.hand_raw(topic(sku), json.dumps(body), **user_properties)

    def hand_raw(self, where, payload, **user_properties):
        given = None
        if user_properties:
            given = properties.Properties(PacketTypes.PUBLISH)
            given.UserProperty = list(user_properties.items())
        # Also without a connection: then it is sent by the next one.
        return self._client.publish(where, payload, qos=1, properties=given).mid

    def answer(self, handed, within=30):
        """The broker's reason code; 0 (or 16: nobody listens) when it has taken the message."""
        wait.until(lambda: handed in self._answers, within, "an answer of the broker", every=0.01)
        return self._answers[handed]

    def report(self, *arguments, **options):
        return self.answer(self.hand(*arguments, **options))

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def _connect_properties():
    given = properties.Properties(PacketTypes.CONNECT)
    given.SessionExpiryInterval = 600
    return given
