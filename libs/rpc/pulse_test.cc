#include "libs/rpc/pulse.h"

#include <gtest/gtest.h>

#include <list>

namespace bv::rpc {
namespace {

TEST(PulseTest, EndsBeforeItsFirstBeat) {
  for (int i = 0; i < 100; ++i) Pulse pulse;
}

// Wherever their beats are by then: they began one after the other, over several periods.
TEST(PulseTest, EndsInTheMiddle) {
  std::list<Pulse> pulses;
  grpc::CompletionQueue queue;
  for (int i = 0; i < 12; ++i) {
    pulses.emplace_back();
    grpc::Alarm alarm;
    alarm.Set(&queue, std::chrono::system_clock::now() + std::chrono::milliseconds(90), nullptr);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
  }
  pulses.clear();
  queue.Shutdown();
}

}  // namespace
}  // namespace bv::rpc
