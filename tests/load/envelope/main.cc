// What an event costs its writer before it goes to PostgreSQL, on one thread: the text of the envelope, its
// check against the schema, and the whole row. Prints one JSON object.
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/strings/str_format.h>
#include <absl/time/time.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <string>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/events/schemas.h"

ABSL_FLAG(int, events, 100'000, "events of a round");
ABSL_FLAG(int, rounds, 7, "rounds of each measurement, of which the fastest counts");

namespace bv {
namespace {

commerce::order::v1::OrderCreated SomeOrder() {
  commerce::order::v1::OrderCreated event;
  event.set_order_id("ord_01hf7yat00fytbh9k0vn3k5d6c");
  event.set_user_id("ada");
  event.set_currency("USD");
  event.set_total_amount(20'900);
  for (const int price : {2'500, 7'950, 2'500}) {
    auto* item = event.add_items();
    item->set_product_id("prd_01hf7yat00fytbh9k0vn3k5d6c");
    item->set_qty(2);
    item->set_price(price);
  }
  return event;
}

commerce::inventory::v1::StockAdjusted SomeStock() {
  commerce::inventory::v1::StockAdjusted event;
  event.set_product_id("prd_01hf7yat00fytbh9k0vn3k5d6c");
  event.set_sku("STOVE-EMBER");
  event.set_delta(-2);
  event.set_reason("RESERVED");
  auto* location = event.add_locations();
  location->set_location_code("default");
  location->set_on_hand(1'000'000);
  location->set_reserved(123'456);
  location->set_available(876'544);
  location->set_version(61'728);
  return event;
}

RequestContext SomeContext() {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  context.trace = {
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .span_id = "00f067aa0ba902b7", .sampled = true};
  context.correlation_id = "0198c5a0-0000-7000-8000-000000000001";
  return context;
}

// Of this thread: unlike the time on the wall, it hardly depends on what else the machine does.
double ProcessorNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Nanoseconds of one call.
double Measure(const std::function<absl::Status()>& call) {
  const int events = absl::GetFlag(FLAGS_events);
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    const double begin = ProcessorNanoseconds();
    for (int i = 0; i < events; ++i) {
      if (const absl::Status status = call(); !status.ok()) {
        std::cerr << status << "\n";
        std::exit(1);
      }
    }
    best = std::min(best, (ProcessorNanoseconds() - begin) / events);
  }
  return best;
}

std::string Report(const google::protobuf::Message& payload) {
  const RequestContext context = SomeContext();
  const absl::Time now = absl::FromUnixMicros(1'700'697'662'003'004);
  const events::OutboxRow row = events::MakeRow(payload, 3, now, context).value();
  std::string text;
  const double encode = Measure([&] {
    text.clear();
    return events::AppendEnvelope(payload, row, context.trace.trace_id, text);
  });
  const double validate = Measure([&] { return events::Validate(row.type, row.payload); });
  const double whole = Measure([&] { return events::MakeRow(payload, 3, now, context).status(); });
  return absl::StrFormat(R"({"type":"%s","bytes":%d,"encode_ns":%.0f,"validate_ns":%.0f,"make_row_ns":%.0f})",
                         row.type, row.payload.size(), encode, validate, whole);
}

}  // namespace
}  // namespace bv

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  std::cout << "[" << bv::Report(bv::SomeOrder()) << ",\n " << bv::Report(bv::SomeStock()) << "]\n";
}
