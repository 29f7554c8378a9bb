// What the server counts; internal to libs/http.
#pragma once

#include <absl/time/time.h>
#include <prometheus/gauge.h>

#include <string_view>

namespace bv::http {

class Metrics {
 public:
  Metrics();
  // Any thread.
  void Answered(std::string_view route, int status, absl::Duration took);
  void Opened() { connections_.Increment(); }
  void Closed() { connections_.Decrement(); }

 private:
  prometheus::Gauge& connections_;
};

}  // namespace bv::http
