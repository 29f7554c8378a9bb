// Cuts this process off from the Kafka brokers and lets it back, at the level of its sockets: a proxy would
// not do, because a broker tells its clients its own address. connect(2) is replaced for the test program;
// connections to other ports are left alone.
#pragma once

namespace bv::testing {

// Ends every connection to the brokers of BV_KAFKA_BROKERS and refuses new ones.
void CutBrokers();
void RestoreBrokers();

// Cut for as long as it lives.
class BrokerOutage {
 public:
  BrokerOutage() { CutBrokers(); }
  ~BrokerOutage() { RestoreBrokers(); }
  BrokerOutage(const BrokerOutage&) = delete;
  BrokerOutage& operator=(const BrokerOutage&) = delete;
};

}  // namespace bv::testing
